"""What running a command gives the tests to look at."""

from typing import NamedTuple


class Said(NamedTuple):
    """What a command ended with: exit code, standard output, standard error."""

    code: int
    out: str
    err: str
