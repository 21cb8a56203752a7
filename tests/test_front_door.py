"""What `import masktrail` shows, and to whom."""

import os
import pydoc
import re
import subprocess
import sys
from pathlib import Path

import pytest

import masktrail

ENV = {**os.environ, "PYTHONPATH": str(Path(masktrail.__file__).parents[1])}


def test_public_names_are_found_and_no_others() -> None:
    shown = {name for name in dir(masktrail) if not name.startswith("_")}
    assert shown == set(masktrail.__all__) == set(masktrail._HOMES)
    told = pydoc.plain(pydoc.render_doc(masktrail))
    for name in masktrail.__all__:
        assert getattr(masktrail, name) is not None and re.search(rf"\b{name}\b", told)


def test_the_front_door_is_light() -> None:
    """What takes time is loaded by the names that need it."""
    code = "import sys, masktrail; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-S", "-c", code], text=True, env=ENV).split()
    assert "masktrail" in loaded
    assert not {"numpy", "torch", "typing", "re", "dataclasses", "openvino"} & set(loaded)


def test_a_name_that_there_is_not_is_an_error() -> None:
    with pytest.raises(AttributeError, match="module 'masktrail' has no attribute 'Trakcer'"):
        masktrail.Trakcer  # noqa: B018
