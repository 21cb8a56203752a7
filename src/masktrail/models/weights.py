"""Weights on disk: safetensors, float16, with the config that rebuilds their network."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import nn

from masktrail.errors import InputError
from masktrail.masks import replacing
from masktrail.models import create

FORMAT = "masktrail-1"


def save_network(path: Path, network: nn.Module, family: str, config: dict[str, Any]) -> None:
    """Writes a network's weights as float16, with its family and config in the header.

    Args:
        path: the file; it appears under its name only when it is complete.
        network: any of `models.MODELS`.
        family: its key there.
        config: the fields of its config class that differ from the defaults.

    Raises:
        InputError: the file cannot be written.
    """
    tensors = {k: v.detach().cpu().half().contiguous() for k, v in network.state_dict().items()}
    header = {"format": FORMAT, "family": family, "config": json.dumps(config)}
    with replacing(path) as part:  # `save_file` would leave a file that others may not read
        part.write_bytes(save(tensors, metadata=header))


def load_network(path: Path) -> tuple[nn.Module, str]:
    """Rebuilds a network from a file of `save_network`, in float32, for inference.

    Returns:
        The network and the name of its family.

    Raises:
        InputError: the file is missing or is none of ours.
    """
    header = _header(path)
    if header.get("format") != FORMAT:
        raise InputError(f"{path} holds no MaskTrail network; its header lacks format={FORMAT}.")
    try:
        network = create(header["family"], **json.loads(header["config"]))
        network.load_state_dict({k: v.float() for k, v in load_file(path).items()})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{path} is of a network that this version does not know ({error})."
        ) from error
    return network.eval(), header["family"]


def initialise(network: nn.Module, path: Path) -> list[str]:
    """Copies into `network` whatever of a safetensors file fits it.

    A file of the whole network fills it; a file of an encoder fills `network.encoder`.

    Returns:
        Names of the parameters that were filled.

    Raises:
        InputError: the file is missing, or nothing in it fits.
    """
    _header(path)
    own = network.state_dict()
    fitting: dict[str, torch.Tensor] = {}
    for name, tensor in load_file(path).items():
        for candidate in (name, f"encoder.{name}"):
            if candidate in own and own[candidate].shape == tensor.shape:
                fitting[candidate] = tensor.float()
    if not fitting:
        raise InputError(f"Nothing in {path} fits the network that was to start from it.")
    network.load_state_dict(fitting, strict=False)
    return sorted(fitting)


def _header(path: Path) -> dict[str, str]:
    """What stands beside the tensors of a safetensors file; also proves that it is whole."""
    try:
        with safe_open(path, "pt") as file:
            return file.metadata() or {}
    except FileNotFoundError as error:
        raise InputError(f"There is no weights file {path}.") from error
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is not a complete safetensors file: {error}.") from error
