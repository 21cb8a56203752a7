"""What goes into a bundle, how, and in which form, for `bundle.py`."""
