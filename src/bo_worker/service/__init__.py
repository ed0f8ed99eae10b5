"""The imperative shell: reads, applies, publishes, and recovers."""
