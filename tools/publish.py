"""Makes the weights of a trained model small enough to publish, and prints its card's `files`.

    python tools/publish.py runs/unet unet [--out weights]

Writes int8 shards `unet-00001-of-00002.safetensors`, ..., at most 15 MB each.
"""

import argparse
from pathlib import Path

from torch import nn

from masktrail.errors import InputError
from masktrail.zoo import weights_origin, weights_path
from masktrail.zoo.headers import read_config
from masktrail.zoo.weights import load_network, publish


def main() -> None:
    """Parses the arguments, writes the shards and prints their names and hashes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="folder made by `masktrail train`, or its weights file")
    parser.add_argument("name", help="of the published model")
    parser.add_argument("--out", type=Path, default=Path("weights"))
    arguments = parser.parse_args()
    try:
        print(publish_model(arguments.model, arguments.name, arguments.out))
    except InputError as error:
        raise SystemExit(str(error)) from error


def publish_model(model: str, name: str, out: Path) -> str:
    """Writes the shards; the lines of the card that name them."""
    path = weights_path(model)
    if path is None:
        raise InputError(f"{model} has no weights to publish.")
    network, _ = load_network(path)
    out.mkdir(parents=True, exist_ok=True)
    files = publish(network, *read_config(path), out, name, origin=weights_origin(path))
    lines = [f'    "{file}": (\n        "{digest}"\n    ),' for file, digest in files.items()]
    return "\n".join(["files={", *lines, "},", f"parameters={_count(network):_},"])


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


if __name__ == "__main__":
    main()
