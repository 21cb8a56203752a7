"""Networks computed by OpenVINO from their graphs, on a processor.

Free sizes are slower than fixed ones, and what OpenVINO keeps of each grows without end (its issue
23316): a function is therefore compiled for the sizes it is given, and few of these are kept.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Self
from weakref import WeakSet

from numpy.typing import NDArray

from masktrail.engines.arrays import ArrayEngine, Arrays, Parameters
from masktrail.engines.graph import KEY, About
from masktrail.engines.openvino_form import Form, core, set_parameters
from masktrail.engines.processor import precisions

KEPT = 8
"""So many compiled forms of a function are kept for each engine that shares it, the latest used."""


Key = tuple[int | tuple[int, ...], ...]
"""What a function is compiled for: a shape of every input, or the number that it is."""


class OpenVinoEngine(ArrayEngine):
    """A network's functions by OpenVINO.

    Args:
        files: of the functions by name, see `engines.graph`.
        precision: "float", "bfloat16" or "int8"; the last is of the files.
        floats: files of the same functions in floats; those of `files` if they are.
        load: see `ArrayEngine`.
    """

    name = "openvino"

    def __init__(
        self,
        files: Mapping[str, Path],
        precision: str = "float",
        floats: Mapping[str, Path] | None = None,
        load: Callable[[], Any] | None = None,
    ) -> None:
        self._functions = {name: _Function(path, precision) for name, path in files.items()}
        stride = next(iter(self._functions.values())).about.stride
        super().__init__(files, precision, stride, load)
        self._own, self._floats = self._functions, dict(floats or files)
        self._use(self._functions)

    def __copy__(self) -> Self:
        """Another engine of the same weights, which shares what is compiled but not what is
        `replace`d; two threads take turns in each function."""
        twin = object.__new__(type(self))
        vars(twin).update(vars(self))
        twin._use(twin._functions)
        return twin

    def _use(self, functions: Mapping[str, "_Function"]) -> None:
        for function in functions.values():
            function.users.add(self)

    def outputs(self, function: str, inputs: Sequence[Any]) -> Arrays:
        """See `ArrayEngine.outputs`."""
        return self._functions[function](inputs)

    def warm_up(self, sizes: Mapping[str, int]) -> Iterator[None]:
        """See `Engine.warm_up`."""
        functions = list(self._functions.values())
        order = functions[0].about.functions
        for function in sorted(functions, key=lambda f: -order.index(f.about.function)):
            if (shapes := function.about.shapes(sizes)) is not None:
                function.form(tuple(shapes.values())).compile()
                yield

    def prepare(self, parameters: Parameters) -> None:
        """See `ArrayEngine.prepare`."""
        functions, found = dict(self._own), set[str]()
        for name, path in self._floats.items() if parameters else ():
            function = _Function(path, self.precision, parameters)
            if function.changed:
                functions[name] = function
                found |= function.changed
        if missing := sorted(parameters.keys() - found):
            first = next(iter(self._floats.values()))
            raise self.unusable(first, ValueError(f"no graph beside it names {missing[0]}"))
        self._functions = functions
        self._use(functions)


class _Function:
    """One function, compiled for whatever sizes it is called with.

    Attributes:
        about: what its file says of it.
        changed: names of its parameters that have other values than the file says.
        users: engines that share it.
    """

    def __init__(self, path: Path, precision: str, parameters: Parameters | None = None) -> None:
        try:
            model = core().read_model(path)
            self.changed = set_parameters(model, parameters or {})
            self.about = About.read(model.get_rt_info(["framework", KEY]).astype(str))
        except (RuntimeError, ValueError, TypeError) as error:
            raise ArrayEngine.unusable(path, error) from error
        self._hint = _hint(self.about, precision)
        self._path, self._model = path, model
        self._free = {name: self.about.free_axes(name) for name in self.about.inputs}
        self._forms: OrderedDict[Key, Form] = OrderedDict()
        self.users = WeakSet[OpenVinoEngine]()
        self._lock = Lock()

    def __call__(self, inputs: Sequence[Any]) -> list[NDArray[Any]]:
        form = self.form(
            tuple(
                value if isinstance(value, int) else self._shape(name, value)
                for name, value in zip(self.about.inputs, inputs, strict=True)
            )
        )
        if not form.used:
            self._clear_all_but(form)
        return form([value for value in inputs if not isinstance(value, int)])

    def form(self, key: Key) -> Form:
        """That for certain inputs: a shape of each, -1 where it stays free, or a number."""
        with self._lock:
            if key not in self._forms:
                named = dict(zip(self.about.inputs, key, strict=True))
                self._forms[key] = Form(self._path, self._model.clone(), named, self._hint)
                if len(self._forms) > KEPT * max(1, len(self.users)):
                    self._forms.popitem(last=False)
            self._forms.move_to_end(key)
            return self._forms[key]

    def _clear_all_but(self, form: Form) -> None:
        with self._lock:
            others = [other for other in self._forms.values() if other is not form]
        for other in others:
            other.clear()

    def _shape(self, name: str, value: NDArray[Any]) -> tuple[int, ...]:
        free = self._free[name]
        return tuple(-1 if axis in free else side for axis, side in enumerate(value.shape))


def _hint(about: About, precision: str) -> str:
    """What operators that are not in 8 bits compute in: where bfloat16 is quick, it is so beside
    8 bits too."""
    rounded = precision == "bfloat16" or (precision == "int8" and "bfloat16" in precisions())
    return "bf16" if rounded and not about.exact else "f32"
