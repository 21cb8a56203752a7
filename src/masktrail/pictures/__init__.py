"""Pictures as files: opening them, and what is said of those that are damaged."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from masktrail.errors import InputError

UNREADABLE: tuple[type[Exception], ...] = (
    *(OSError, ValueError, SyntaxError, EOFError, struct.error, Image.DecompressionBombError),
    *(ArithmeticError, LookupError, TypeError, AttributeError, RuntimeError),
)
"""What Pillow raises on files that are no pictures, damaged or cut off: whatever its decoders meet.

`InputError`, which is a ValueError, is among them.
"""


@contextmanager
def opened(path: str | os.PathLike[str], kind: str = "picture") -> Iterator[Image.Image]:
    """Opens a picture and decodes it.

    Args:
        path: of the file.
        kind: what it is to be, for the sentence.

    Raises:
        InputError: no such file, not a picture, or a damaged one.
    """
    try:
        picture = Image.open(path)
        picture.load()
        picture.getexif()  # kept by the picture
    except FileNotFoundError:
        raise InputError(f"There is no {kind} file {path}.") from None
    except UnidentifiedImageError:
        raise InputError(
            f"{path} cannot be read as a {kind}: it is not a picture, or damaged; save it as PNG."
        ) from None
    except UNREADABLE as error:
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"{path} cannot be read as a {kind}: {error.strerror}.") from error
        reason = str(error) or type(error).__name__
        raise InputError(f"{path} is damaged and cannot be read as a {kind} ({reason}).") from error
    with picture:
        yield picture
