"""The state of a tracker as bytes: arrays as safetensors, all else as JSON in their header."""

import io
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from masktrail.tracking.propagator import Lesson

KEY = "state"
"""Of the JSON in the header."""

ARCHIVE = b"PK"
"""What archives of version 0.1 begin with, which torch wrote."""


def packed_state(state: Mapping[str, Any]) -> bytes:
    """A state as one piece.

    Args:
        state: arrays, and what JSON knows besides them, in dicts and lists; keys of dicts are
            texts or whole numbers. Of a `Lesson` there is the key alone.
    """
    arrays: dict[str, NDArray[Any]] = {}
    structure = _to_json(state, arrays)
    return save(arrays, metadata={KEY: json.dumps(structure)})


def unpacked_state(
    content: bytes, lessons: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> dict[str, Any]:
    """The state that `packed_state` made something of; lists for its tuples.

    Args:
        content: of the state.
        lessons: by their keys.

    Raises:
        ValueError: it is damaged.
        ImportError: it is of version 0.1, which torch wrote, and torch is not installed.
    """
    try:
        if content.startswith(ARCHIVE):
            return _of_torch(content)
        size = int.from_bytes(content[:8], "little")
        structure = json.loads(json.loads(content[8 : 8 + size])["__metadata__"][KEY])
        state = _from_json(structure, load(content), lessons)
        if not isinstance(state, dict):
            raise ValueError("it is no state")
        return state
    except (SafetensorError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _to_json(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """What stands for a value in JSON; arrays are added to those there are."""
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        arrays[name] = np.asarray(value, order="C")
        return {"array": name}
    if isinstance(value, Lesson):
        return {"lesson": value.key}
    if isinstance(value, Mapping):
        return {"items": [[key, _to_json(each, arrays)] for key, each in value.items()]}
    if isinstance(value, list | tuple):
        return [_to_json(each, arrays) for each in value]
    return value


def _from_json(
    value: Any,
    arrays: Mapping[str, NDArray[Any]],
    lessons: Mapping[str, Mapping[str, Any]],
) -> Any:
    if isinstance(value, list):
        return [_from_json(each, arrays, lessons) for each in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "lesson" in value:
        return Lesson(value["lesson"], lessons[value["lesson"]])
    return {key: _from_json(each, arrays, lessons) for key, each in value["items"]}


def _of_torch(content: bytes) -> dict[str, Any]:
    """A state of version 0.1."""
    import torch

    from masktrail.engines.torch import arrays_of

    try:
        state: dict[str, Any] = arrays_of(torch.load(io.BytesIO(content), weights_only=True))
    except Exception as error:  # whatever a damaged archive makes of itself
        raise ValueError(str(error)) from error
    return state
