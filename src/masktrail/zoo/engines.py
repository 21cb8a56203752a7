"""Which engine computes a model, and in what."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

from masktrail.engines import Engine, gpu
from masktrail.engines.processor import precisions
from masktrail.errors import InputError
from masktrail.settings import EngineName, Precision, check_choice
from masktrail.tracking.family import Family
from masktrail.zoo import CARDS, WEIGHTS
from masktrail.zoo.fetch import lying
from masktrail.zoo.graphs import NOTHING, Graphs, graphs_beside

log = logging.getLogger(__name__)

ENGINES: tuple[str, ...] = get_args(EngineName)
PRECISIONS: tuple[str, ...] = get_args(Precision)
INSTALLED_BY = {
    "openvino": "openvino",
    "onnxruntime": "'masktrail[onnxruntime]'",
    "torch": "'masktrail[torch]'",
}
"""What pip is to be told, by engine."""


@dataclass(frozen=True)
class Choice:
    """What is to compute a network.

    Attributes:
        name: of the engine.
        precision: "auto" where torch has yet to see what its device can.
        graphs: files of the network's functions by name, where the engine computes these.
        floats: the same, none of them in 8 bits.
    """

    name: str
    precision: str
    graphs: Mapping[str, Path] = field(default_factory=dict)
    floats: Mapping[str, Path] = field(default_factory=dict)


def make_engine(
    path: Path, spec: Family, name: str = "auto", device: str = "auto", precision: str = "auto"
) -> Engine:
    """The network of a weights file, ready to be used.

    Args:
        path: of the weights, or of their first shard.
        spec: the family they are of.
        name: one of `ENGINES`; "auto" takes torch where there is a GPU, else OpenVINO where the
            network has graphs, else torch.
        device: "auto", "cpu", "cuda", ...
        precision: one of `PRECISIONS`; "auto" takes what the processor is fast in.

    Raises:
        InputError: weights that cannot be read, no such engine or device, one that is not
            installed or has no graphs of the network, a precision that is not possible.
    """
    choice = choose(path, name, device, precision)
    if choice.name == "torch":
        return _torch(path, spec, device, precision)
    load = partial(_network, path)
    made: Engine = _class_of(choice.name)(choice.graphs, choice.precision, choice.floats, load)
    return made


def choose(path: Path, name: str = "auto", device: str = "auto", precision: str = "auto") -> Choice:
    """Which engine `make_engine` takes.

    Raises:
        InputError: see there.
    """
    check_names(name, precision)
    graphs = NOTHING if name == "torch" else graphs_beside(path)
    asked, name = name, _auto(path, graphs, device) if name == "auto" else name
    if name == "torch":
        if precision == "int8":
            raise _impossible(precision, asked, ("float", "bfloat16"), path)
        return Choice(name, precision)
    if not graphs.floats:
        raise InputError(
            f"{graphs.wrong or _no_graphs(path)}, which the engine {name} computes; write them "
            f"with `masktrail export-onnx {path} {path.parent}`, or take the engine torch."
        )
    if device not in ("auto", "cpu"):
        raise InputError(f"The engine {name} computes on cpu, not on {device}; take torch there.")
    possible = [
        "float",
        *(["bfloat16"] if name == "openvino" and "bfloat16" in precisions() else []),
        *(["int8"] if graphs.int8 else []),
    ]
    if precision == "auto":
        precision = next(each for each in (*precisions(), "float") if each in possible)
    if precision not in possible:
        raise _impossible(precision, name, possible, path)
    files = graphs.int8 if precision == "int8" else graphs.floats
    return Choice(name, precision, files, graphs.floats)


def check_can_learn(engine: str, model: str) -> None:
    """Refuses what cannot learn from prompted frames.

    Args:
        engine: that computes the model.
        model: whose network is to learn.

    Raises:
        InputError: torch is not installed, or the engine cannot be given what was learned.
    """
    if not is_installed("torch"):
        raise InputError(
            f"To learn from a prompted frame {model} needs torch, which is not installed: pip "
            f"install {INSTALLED_BY['torch']}; or let it learn for 0 seconds."
        )
    if engine == "onnxruntime":
        raise InputError(
            f"The engine {engine} computes graphs as they are, and {model} could not be given what "
            "it learned; take openvino or torch."
        )


def check_names(engine: str, precision: str) -> None:
    """Refuses what is no name of an engine or of a precision.

    Raises:
        InputError: it is not.
    """
    check_choice(engine, ENGINES, "engine")
    check_choice(precision, PRECISIONS, "precision")


def _impossible(precision: str, name: str, possible: Sequence[str], path: Path) -> InputError:
    hint = f"with {name} there are {', '.join(possible)}"
    if precision == "int8" and name == "torch":
        hint += "; 8 bits are of openvino and onnxruntime, see `masktrail export-onnx`"
    elif precision == "int8":
        hint = f"write 8-bit graphs with `masktrail export-onnx {path} {path.parent} --data DATA`"
    return InputError(f"Precision {precision} is not possible with the engine {name}: {hint}.")


def computed_by(model: str) -> tuple[str, str]:
    """Engine and precision that "auto" takes for a model here, in words; nothing is fetched."""
    files = CARDS[model].files
    if not files:
        return "none", ""
    path = lying(files, WEIGHTS)
    if path is None:
        return "its weights are not here", ""
    try:
        choice = choose(path)
    except InputError:
        return "nothing that is installed", ""
    return choice.name, "" if choice.precision == "auto" else choice.precision


def is_installed(name: str) -> bool:
    """Whether an engine can be imported; "auto" can."""
    return name == "auto" or find_spec(name) is not None


def _class_of(name: str) -> Any:
    try:
        if name == "openvino":
            from masktrail.engines.openvino import OpenVinoEngine

            return OpenVinoEngine
        if name == "onnxruntime":
            from masktrail.engines.onnxruntime import OnnxRuntimeEngine

            return OnnxRuntimeEngine
        from masktrail.engines.torch import TorchEngine

        return TorchEngine
    except (ImportError, OSError) as error:
        raise InputError(
            f"The engine {name} is not installed, or broken ({error}); pip install "
            f"{INSTALLED_BY[name]}, or take another engine."
        ) from error


def _torch(path: Path, spec: Family, device: str, precision: str) -> Engine:
    if "torch" not in spec.traits.engines:
        raise InputError(f"Nothing here computes the family {spec.name!r}, as torch would.")
    engine = _class_of("torch")
    from masktrail.devices import choose_device

    network = _network(path)
    bfloat16 = None if precision == "auto" else precision == "bfloat16"
    made: Engine = engine(network, choose_device(device), bfloat16)
    return made


def _network(path: Path) -> Any:
    """What a weights file holds, as torch has it."""
    from masktrail.zoo.weights import load_network

    return load_network(path)[0]


def _auto(path: Path, graphs: Graphs, device: str) -> str:
    """The engine that "auto" is: OpenVINO unless something stands against it, else torch.

    Raises:
        InputError: then torch is not installed.
    """
    if device not in ("auto", "cpu"):
        reason, usual = f"OpenVINO computes on the device cpu, not on {device}", True
    elif not graphs.floats:
        reason, usual = graphs.wrong or _no_graphs(path), not graphs.wrong
    else:
        reason, usual = _against_openvino()
    if not reason and (device == "cpu" or not _is_gpu_there()):
        return "openvino"
    if reason and not is_installed("torch"):
        raise InputError(
            f"{reason}; torch could compute {path.name} all the same, but is not installed: pip "
            f"install {INSTALLED_BY['torch']}."
        )
    if not usual:
        log.warning("%s, so that torch computes %s.", reason, path.name)
    return "torch"


def _no_graphs(path: Path) -> str:
    return f"There are no graphs of {path} beside it"


def _against_openvino() -> tuple[str, bool]:
    """Why it cannot be used, if so, and whether that is as it was installed."""
    if not is_installed("openvino"):
        return "OpenVINO is not installed", True
    try:
        _class_of("openvino")
    except InputError as error:
        return str(error).rstrip("."), False
    return "", True


def _is_gpu_there() -> bool:
    """Whether torch has one."""
    if not gpu.is_possible():
        return False
    try:
        from masktrail.devices import choose_device

        return choose_device("auto").type != "cpu"
    except (ImportError, OSError) as error:
        log.warning("No GPU is used, since torch is broken (%s).", error)
        return False
