"""The only place with aiokafka."""
