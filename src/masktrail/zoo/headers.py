"""What weights files say of themselves, beside their tensors."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from masktrail.errors import InputError

FORMAT, SHARDED = "masktrail-1", "masktrail-2"
"""Of one file in float16, and of int8 shards."""


def read_config(path: Path) -> tuple[str, dict[str, Any]]:
    """The family of the network in a weights file, and its config as it was saved.

    Raises:
        InputError: the file is missing or is none of ours.
    """
    header = header_of(path)
    if header.get("format") not in (FORMAT, SHARDED):
        raise InputError(f"{path} holds no MaskTrail network; its header lacks format={FORMAT}.")
    try:
        return header["family"], json.loads(header["config"])
    except (KeyError, ValueError) as error:
        raise unknown(path, error) from error


def read_origin(path: Path) -> str | None:
    """SHA-256 of the file that published weights were made from; None where none is told.

    Raises:
        InputError: the file is missing or no safetensors file.
    """
    return header_of(path).get("origin")


def header_of(path: Path) -> dict[str, str]:
    """What stands beside the tensors of a safetensors file; also proves that it is whole.

    Raises:
        InputError: it is missing or no safetensors file.
    """
    try:
        with safe_open(path, "np") as file:
            return file.metadata() or {}
    except FileNotFoundError as error:
        raise InputError(f"There is no weights file {path}.") from error
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is not a complete safetensors file: {error}.") from error


def unknown(path: Path, error: Exception) -> InputError:
    """What is said of weights whose network cannot be built."""
    return InputError(f"{path} is of a network that this version does not know ({error}).")
