"""What the shipped models gave on two painted clips when their weights came, frame by frame.

A change of code that should not change masks must not: `test_golden` tracks the clips again and
holds J and area of every frame against what is stored. `make golden` stores new values.
"""
