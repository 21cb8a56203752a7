"""How large an object has to be, as a share of its picture, to be learned from."""

MIN_AREA = 0.002
"""Objects smaller than this are not marked for tracking, unless tiny ones are to be."""

TINY = 2e-5
"""Nor are those in any case that are smaller than this, few pixels of what is packed."""
