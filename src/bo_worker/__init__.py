"""bo-worker: keeps the promises of a shop that sells what it does not have yet."""
