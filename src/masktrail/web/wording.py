"""What the library says, in words for the page."""

from masktrail.errors import InputError
from masktrail.run.rows import OtherRun


def on_page(error: InputError) -> str:
    """What the page says of an error.

    Of a run that cannot be read or gone on with the library tells how to replace it, which the page
    does by itself: every run has a folder of its own.
    """
    found, _, _ = str(error).rpartition("; ")
    return f"{found}; track again." if isinstance(error, OtherRun) and found else str(error)
