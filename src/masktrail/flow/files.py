"""Flow on disk: Middlebury's .flo. Numpy only."""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.files import replacing

HEADER = struct.Struct("<fii")
"""Of a .flo file: the number that says what it is, width, height."""

MAGIC = 202021.25
"""What every .flo file begins with; its four bytes read PIEH."""

FARTHEST = 1e9
"""Pixels; what is longer, across or down, is unknown."""

UNKNOWN = 1e10
"""Stands in both components where the flow is unknown."""


def write_flow(
    path: Path, flow: NDArray[np.float32], valid: NDArray[np.bool_] | None = None
) -> None:
    """Writes Middlebury's .flo, which has its name only when it is complete.

    Little-endian: float32 202021.25, int32 width, int32 height, then row by row x and y of every
    pixel as float32 (Baker et al., "A Database and Evaluation Methodology for Optical Flow", IJCV
    2011, and the code that comes with it).

    Args:
        path: the file.
        flow: float32 (H, W, 2) in pixels, x then y; what stands where it is unknown is not kept.
        valid: bool (H, W), where the flow is known; everywhere if None.

    Raises:
        InputError: the file cannot be written.
        ValueError: a shape is wrong, or known flow is not finite or longer than 1e9 pixels.
    """
    if flow.ndim != 3 or flow.shape[2] != 2 or not flow.size:
        raise ValueError(f"flow is {flow.shape}; it must be (H, W, 2) and not empty")
    if valid is not None:
        if valid.shape != flow.shape[:2]:
            raise ValueError(f"flow is {flow.shape[:2]}, valid is {valid.shape}; sizes must agree")
        flow = np.where(valid[..., None], flow, np.float32(UNKNOWN))
    if not (np.abs(flow[... if valid is None else valid]) <= FARTHEST).all():
        raise ValueError("known flow must be finite and at most 1e9 pixels long")
    height, width = flow.shape[:2]
    with replacing(path) as part, part.open("wb") as file:
        file.write(HEADER.pack(MAGIC, width, height))
        file.write(flow.astype("<f4", copy=False).tobytes())


def read_flow(path: Path) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Reads Middlebury's .flo.

    Returns:
        Flow, float32 (H, W, 2) in pixels, x then y, 0 where it is unknown; and bool (H, W), where
        it is known.

    Raises:
        InputError: there is no such file, it is no .flo file, not as long as its header says, or
            has values that are not finite.
    """
    header, body = _content(path)
    height, width = _size(path, header, len(body))
    flow = np.frombuffer(body, "<f4").reshape(height, width, 2).astype(np.float32)
    if not np.isfinite(flow).all():
        raise InputError(
            f"{path} has values that are not finite numbers; unknown flow is written as 1e10. "
            "Write the file again."
        )
    valid = np.abs(flow).max(axis=2) <= FARTHEST
    flow[~valid] = 0
    return flow, valid


def _content(path: Path) -> tuple[bytes, bytes]:
    """Header and the rest; of a file that is something else only the header is read."""
    try:
        with path.open("rb") as file:
            header = file.read(HEADER.size)
            if header[:4] != struct.pack("<f", MAGIC):
                raise InputError(
                    f"{path} is no .flo file: it begins with {header[:4]!r}, not with b'PIEH'. "
                    "Give a file of optical flow in Middlebury's format."
                )
            return header, file.read()
    except FileNotFoundError:
        raise InputError(f"There is no flow file {path}; check its name.") from None
    except OSError as error:
        raise InputError(
            f"{path} cannot be read as a flow file: {error.strerror or error}."
        ) from error


def _size(path: Path, header: bytes, length: int) -> tuple[int, int]:
    """Height and width, which must account for `length`, the bytes after the header."""
    if len(header) < HEADER.size:
        raise InputError(
            f"{path} is cut short: it has {len(header)} bytes, and the header alone has "
            f"{HEADER.size}. Copy or write the file again."
        )
    _, width, height = HEADER.unpack(header)
    if width < 1 or height < 1:
        raise InputError(
            f"{path} says that its flow is {width}x{height} pixels; both must be at least 1. "
            "The file is damaged: copy or write it again."
        )
    if length != width * height * 8:
        raise InputError(
            f"{path} has {HEADER.size + length} bytes; a flow of {width}x{height} pixels, which "
            f"it says it is, has {HEADER.size + width * height * 8}. Copy or write the file again."
        )
    return height, width
