"""The commands of bo-worker."""
