"""Other people's tools without what they say on the way."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout


@contextmanager
def quiet(logger: str) -> Iterator[None]:
    """Nothing is printed meanwhile, no warning shown, and `logger` tells errors alone."""
    teller = logging.getLogger(logger)
    level = teller.level
    teller.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        teller.setLevel(level)
