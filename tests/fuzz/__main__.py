"""`python -m fuzz`, see `many`."""

import sys

from fuzz.many import main

sys.exit(main())
