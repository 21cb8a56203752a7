"""What is meant to be read by the person at the keyboard."""

from collections.abc import Sequence

TOO_LARGE = (
    "There is not enough memory for this; are the pictures as large as they should be? Close other "
    "programs, or make them smaller."
)


class InputError(ValueError):
    """Input that cannot be used; its text says what was found, what was expected, what to do."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether there was not enough memory, which PyTorch says in its own way."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and "allocate memory" in str(error)
    )


def listed(names: Sequence[str], most: int = 10) -> str:
    """Names in a sentence: the first ones, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
