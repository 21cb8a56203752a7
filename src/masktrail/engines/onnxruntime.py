"""Networks computed by ONNX Runtime from their graphs, on a processor."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime import InferenceSession, SessionOptions

from masktrail.engines.arrays import ArrayEngine, Arrays
from masktrail.engines.graph import KEY, About
from masktrail.engines.threads import threads


class OnnxRuntimeEngine(ArrayEngine):
    """A network's functions by ONNX Runtime.

    Args:
        files: of the functions by name, see `engines.graph`.
        precision: "float" or "int8", of the files.
        floats: nothing that this engine needs.
        load: see `ArrayEngine`.
    """

    name = "onnxruntime"

    def __init__(
        self,
        files: Mapping[str, Path],
        precision: str = "float",
        floats: Mapping[str, Path] | None = None,
        load: Callable[[], Any] | None = None,
    ) -> None:
        self._functions = {name: _Function(path) for name, path in files.items()}
        stride = next(iter(self._functions.values())).about.stride
        super().__init__(files, precision, stride, load)

    def outputs(self, function: str, inputs: Sequence[Any]) -> Arrays:
        """See `ArrayEngine.outputs`."""
        return self._functions[function](inputs)


class _Function:
    def __init__(self, path: Path) -> None:
        options = SessionOptions()
        options.intra_op_num_threads = threads()
        options.log_severity_level = 3
        # each function has threads of its own; those that wait would keep the others from working
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = InferenceSession(path, options, providers=["CPUExecutionProvider"])
            self.about = About.read(self._session.get_modelmeta().custom_metadata_map[KEY])
        except Exception as error:  # it has classes of its own for whatever is wrong with a file
            raise ArrayEngine.unusable(path, error) from error

    def __call__(self, inputs: Sequence[Any]) -> Arrays:
        named = zip(self.about.inputs, inputs, strict=True)
        arrays = {
            name: np.array(value, np.int64)
            if isinstance(value, int)
            else np.ascontiguousarray(value)
            for name, value in named
        }
        outputs: Arrays = self._session.run(self.about.outputs, arrays)
        return outputs
