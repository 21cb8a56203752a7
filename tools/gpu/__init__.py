"""Networks that are trained on one GPU together, as `together.py` does."""
