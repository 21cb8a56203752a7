"""Which engine computes a model, and in what."""

from pathlib import Path

from masktrail.devices import choose_device
from masktrail.engines import Engine
from masktrail.engines.torch import TorchEngine
from masktrail.errors import InputError
from masktrail.zoo.weights import load_network, read_ranges

PRECISIONS = ("auto", "float", "int8")


def torch_engine(path: Path, device: str = "auto", precision: str = "auto") -> Engine:
    """The network of a weights file, ready to be used.

    Args:
        path: of the weights, or of their first shard.
        device: "auto", "cpu", "cuda", ...
        precision: one of `PRECISIONS`.

    Raises:
        InputError: weights that cannot be read, no such device, a precision that is not possible.
    """
    if precision not in PRECISIONS:
        raise InputError(f"No precision {precision!r}; there are {', '.join(PRECISIONS)}.")
    network, _ = load_network(path)
    ranges = {} if precision == "float" else read_ranges(path)
    engine = TorchEngine(network, choose_device(device), ranges)
    if precision == "int8" and engine.precision != "int8":
        raise InputError(
            f"Precision int8 needs an x86 processor with AVX2 and weights that hold their ranges; "
            f"{path} on {engine.device} has to use float or auto."
        )
    return engine
