"""Checkpoints that others published, turned into weights files of ours."""

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from masktrail.errors import InputError
from masktrail.families import families
from masktrail.zoo.weights import save_network

WRAPPERS = ("state_dict", "model", "network", "net")
"""Under which of these names a checkpoint may hold its tensors."""

PARALLEL = "module."
"""What training on several GPUs puts before every name."""


def import_weights(name: str, checkpoint: Path, out: Path) -> None:
    """Writes a checkpoint that others published for a family as a weights file of ours.

    Args:
        name: of the family.
        checkpoint: safetensors, or what `torch.save` wrote; nothing in it is executed.
        out: the weights file, a name that is free and ends in .safetensors.

    Raises:
        InputError: a family that imports nothing, a file that cannot be read or is of another
            network, or an `out` that cannot be written.
    """
    importers = {each.name: each.importer for each in families() if each.importer}
    if name not in importers:
        raise InputError(
            f"There is nothing to import for the family {name!r}; there is for "
            f"{', '.join(importers)}."
        )
    if out.suffix != ".safetensors":
        raise InputError(f"Weights cannot be written to {out}; give a name ending in .safetensors.")
    if os.path.lexists(out):  # unlike `Path.exists`, no error for a name that is too long
        raise InputError(f"{out} is there already; move it away, or give another name.")
    tensors, convert = read_checkpoint(checkpoint), importers[name]()
    try:
        network, config = convert(tensors)
    except (ValueError, RuntimeError) as error:
        message = " ".join(str(error).split()).rstrip(".")
        raise InputError(
            f"{checkpoint} is of another network than the family {name!r} imports: {message}."
        ) from error
    save_network(out, network, name, config)


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, without what training has wrapped around them.

    Raises:
        InputError: the file is missing, or holds no tensors by name.
    """
    if not os.path.isfile(path):
        raise InputError(f"There is no checkpoint {path}.")
    try:
        content: Any = load_file(path) if path.suffix == ".safetensors" else _unpickled(path)
    except PermissionError as error:
        raise InputError(f"The checkpoint {path} cannot be read: {error.strerror}.") from error
    except MemoryError:
        raise
    except Exception as error:  # what unpickling damaged files raises is not documented
        raise InputError(
            f"{path} is no checkpoint: neither safetensors nor tensors that torch has saved."
        ) from error
    while inner := _wrapped(content):
        content = inner
    tensors = {k: v for k, v in content.items() if isinstance(v, Tensor)} if _named(content) else {}
    if not tensors:
        raise InputError(f"{path} holds no tensors by name; a network's state is expected.")
    return {name.removeprefix(PARALLEL): tensor for name, tensor in tensors.items()}


def _wrapped(content: object) -> Mapping[str, Any] | None:
    """What lies under one of the usual names, if anything does."""
    if not isinstance(content, Mapping):
        return None
    return next(
        (content[name] for name in WRAPPERS if isinstance(content.get(name), Mapping)), None
    )


def _unpickled(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of what is damaged, which we say
        return torch.load(path, map_location="cpu", weights_only=True)


def _named(content: object) -> bool:
    return isinstance(content, Mapping) and all(isinstance(name, str) for name in content)
