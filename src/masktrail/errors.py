"""What is meant to be read by the person at the keyboard."""

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
