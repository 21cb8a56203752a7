"""Networks computed by torch, on a processor or a GPU."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from masktrail.devices import has_fast_bfloat16
from masktrail.models.blocks import folded
from masktrail.models.nearest import attended

CPU = torch.device("cpu")


class TorchEngine:
    """A copy of a network made quick: batch norms folded, channels last.

    See `engines.Engine`. What is kept are tensors. The network is left as it is.

    Args:
        network: an `nn.Module`; its functions are its methods.
        device: where to.
        bfloat16: whether it computes in bfloat16; None: where that is quick.
    """

    name = "torch"
    graphs: str | None = None
    concurrent = False

    def __init__(
        self,
        network: nn.Module,
        device: torch.device = CPU,
        bfloat16: bool | None = None,
    ) -> None:
        self._device = device
        self._bfloat16 = has_fast_bfloat16(device) if bfloat16 is None else bfloat16
        self._weights = self._whole = network
        self._make_quick()
        self.precision = "bfloat16" if self._bfloat16 else "float"
        self.device = str(torch.empty(0, device=device).device)  # "cuda:0" of "cuda"
        self.stride: int = getattr(network, "stride", 1)

    def _make_quick(self) -> None:
        self.network = folded(self._whole).to(self._device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def network_copy(self) -> nn.Module:
        """See `Engine.network_copy`."""
        return deepcopy(self._whole).float()

    def replace(self, parameters: Mapping[str, NDArray[np.float32]]) -> None:
        """See `Engine.replace`."""
        changed = {name: torch.tensor(array) for name, array in parameters.items()}
        self._whole = deepcopy(self._weights)
        unknown = self._whole.load_state_dict(changed, strict=False).unexpected_keys
        if unknown:
            raise ValueError(f"there is no parameter {unknown[0]} in the network")
        self._make_quick()

    @torch.inference_mode()
    def run(self, function: str, *inputs: Any) -> Any:
        """See `Engine.run`."""
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bfloat16):
            return getattr(self.network, function)(*map(self._input, inputs))

    def warm_up(self, sizes: Mapping[str, int]) -> Iterator[None]:
        """See `Engine.warm_up`; there is nothing to do."""
        return iter(())

    def array(self, value: Tensor) -> NDArray[Any]:
        """See `Engine.array`."""
        return arrays_of(value)

    def keep(self, array: NDArray[Any]) -> Tensor:
        """See `Engine.keep`."""
        tensor = self._tensor(array)
        # maps as networks give them: others would be computed in another way, to another last digit
        return tensor.to(memory_format=torch.channels_last) if array.ndim == 4 else tensor

    @torch.inference_mode()
    def attend(self, similarity: Tensor, values: Tensor, k: int) -> Tensor:
        """See `Engine.attend`."""
        return attended(similarity[0], values[0], k)[None]

    def join(self, values: Sequence[Tensor], axis: int) -> Tensor:
        """See `Engine.join`."""
        return torch.cat(list(values), axis)

    def _input(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        tensor = self._tensor(value)
        if value.dtype == np.uint8:  # which is channels last as it is
            return tensor.permute(0, 3, 1, 2).float().div_(255)
        return tensor

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        # torch takes neither views that run backwards (BGR turned to RGB) nor read-only arrays
        return torch.from_numpy(np.require(array, requirements=["C", "W"])).to(self._device)


def arrays_of(state: Any) -> Any:
    """Plain values and tensors, in dicts, lists and tuples, with arrays for the tensors."""
    if isinstance(state, dict):
        return {key: arrays_of(value) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return [arrays_of(value) for value in state]
    if not isinstance(state, Tensor):
        return state
    whole = state.detach().cpu()
    return (whole.float() if whole.is_floating_point() else whole).numpy()
