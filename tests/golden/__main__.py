"""`python -m golden [MODEL ...]`, see `renewal`."""

import sys

from golden.renewal import main

sys.exit(main())
