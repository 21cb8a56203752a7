"""The tracker, and the contract between it and the families of models."""
