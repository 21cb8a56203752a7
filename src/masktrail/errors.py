"""The one exception that is meant to be read by the person at the keyboard."""


class InputError(ValueError):
    """Input that cannot be used; its text says what was found, what was expected, what to do."""
