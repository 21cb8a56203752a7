"""Files as they should not be: damaged, cut, mistyped, and what the program makes of them."""
