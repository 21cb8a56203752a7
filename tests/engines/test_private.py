"""Nobody is told that a user tracks, and nothing is written into the home folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from masktrail.engines.private import TELEMETRY, untold

TRACKING = "from masktrail.zoo import load; load('memory-s', 'cpu', engine='openvino')"
EXPORTING = "import masktrail.graphs.int8"


@pytest.mark.parametrize("code", [TRACKING, EXPORTING])
def test_the_home_folder_stays_empty(code: str, tmp_path: Path) -> None:
    home = {name: str(tmp_path) for name in ("HOME", "LOCALAPPDATA", "USERPROFILE")}
    code += f"; import sys; assert '{TELEMETRY}' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, **home}, check=True)
    assert list(tmp_path.rglob("*")) == []


def test_what_was_there_is_there_again() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, TELEMETRY, sys)
        with untold(), pytest.raises(ImportError):
            __import__(TELEMETRY)
        assert sys.modules[TELEMETRY] is sys
