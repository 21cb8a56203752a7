"""What a GPU would be slowed by, found without one: with everything large on `meta`.

`meta` tensors have shapes and no values. What is computed of them passes; what would have to read
one fails by itself, or, where torch is more lenient than with a GPU, here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

LARGEST = 4096
"""Elements that a tensor on the CPU may have: parameters that are drawn there, no pixels."""

MOVES = {"aten::_to_copy", "aten::copy_"}
"""What may have tensors of both sides: it carries one over."""

COUNTED = {
    "aten::nonzero",
    "aten::masked_select",
    "aten::_unique2",
    "aten::unique_consecutive",
    "aten::repeat_interleave.Tensor",
    "aten::_local_scalar_dense",
    "aten::is_nonzero",
    "aten::equal",
}
"""What waits until a GPU knows the size or the value of what comes out."""

OF_FLOATS = {"aten::_upsample_bilinear2d_aa"}
"""What a GPU does not do with whole numbers, though the CPU does."""

FROM_VALUES = {torch.tensor, torch.as_tensor, torch.asarray, Tensor.new_tensor}
"""What makes a tensor of numbers and waits until they are on the device."""


class Waited(AssertionError):
    """A GPU would have been waited for, or the CPU would have done its work."""


@contextmanager
def device_only() -> Iterator[None]:
    """Raises `Waited` where a large tensor is on the CPU, or a GPU would be waited for."""
    with _Functions(), _Operations():
        yield


class _Functions(TorchFunctionMode):
    """Sees what is called; making tensors of numbers is no operation."""

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in FROM_VALUES and _away(result):
            raise Waited(f"{func.__name__} waits for the device; make it here and send it")
        return result


class _Operations(TorchDispatchMode):
    """Sees what is computed, in backward passes too."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        given = _tensors((args, kwargs))
        _refuse_large(func, given)
        _refuse_waiting(func, given)
        if func.name() in MOVES:
            _refuse_moving(func, args, kwargs)
        result = func(*args, **kwargs)
        made = _tensors(result)
        _refuse_large(func, made)
        if any(map(_away, given)) and not all(map(_away, made)):
            raise Waited(f"{func.name()} brings something back from the device")
        return result


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _away(tensor: Tensor) -> bool:
    return tensor.device.type != "cpu"


def _refuse_large(func: Any, tensors: list[Tensor]) -> None:
    for tensor in tensors:
        if not _away(tensor) and tensor.numel() > LARGEST:
            raise Waited(f"{func.name()} has a tensor {tuple(tensor.shape)} on the CPU")


def _refuse_moving(func: Any, args: Sequence[Any], kwargs: Any) -> None:
    """Of a copy of one tensor to a device, or into another tensor."""
    into = (
        args[0].device.type
        if func.name() == "aten::copy_"
        else kwargs.get("device", args[0].device)
    )
    source, back = _tensors(args)[-1], torch.device(into).type == "cpu"
    if _away(source) and back:
        raise Waited(f"{func.name()} brings something back from the device")
    unhurried = kwargs.get("non_blocking") or any(x is True for x in args)
    if not (_away(source) or back or unhurried):
        raise Waited(f"{func.name()} waits for the device; send with non_blocking")


def _refuse_waiting(func: Any, given: list[Tensor]) -> None:
    name, away = func.name(), [tensor for tensor in given if _away(tensor)]
    here = [tensor for tensor in given if not _away(tensor) and tensor.dim()]
    if name in OF_FLOATS and any(not x.is_floating_point() for x in away):
        raise Waited(f"{name} of whole numbers is for the CPU alone")
    if away and name in COUNTED:
        raise Waited(f"{name} waits for what is on the device")
    by_index = name.startswith(("aten::index.", "aten::index_put", "aten::_index_put"))
    if away and by_index and any(x.dtype == torch.bool for x in given[1:]):
        raise Waited(f"{name} by a mask waits until its True are counted")
    if away and here and name not in MOVES:
        raise Waited(f"{name} has tensors of both sides: {[tuple(x.shape) for x in here]}")
