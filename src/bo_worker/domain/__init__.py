"""The functional core: what stock, claims and waiting lines mean. Pure; the standard library only."""
