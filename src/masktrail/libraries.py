"""Libraries of extras, imported when they are needed."""

from importlib import import_module
from typing import Any

from masktrail.errors import InputError


def library(module: str, product: str, use: str) -> Any:
    """A module of the extra `export`.

    Args:
        module: what to import.
        product: what people call it.
        use: what needs it, for the sentence.

    Raises:
        InputError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(
            f"{use} needs {product}, which is not installed; install it with: "
            "pip install 'masktrail[export]'"
        ) from error
