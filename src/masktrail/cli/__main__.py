"""`python -m masktrail.cli`."""

from masktrail.cli import main

main()
