"""Real Kafka and Postgres, started here, for demo, tests and benchmarks."""
