"""Peak memory of whole runs."""

import json
import subprocess
import sys
from pathlib import Path


def peak_of(video: Path, model: Path, out: Path, *prompts: str) -> float:
    """Peak memory of `masktrail track` in a process of its own, MiB."""
    how = ["--model", str(model), "--out", str(out), "--size", "64", "--quiet"]
    command = [sys.executable, "-m", "masktrail.cli", "track", str(video)]
    subprocess.run([*command, *prompts, *how], check=True)
    return json.loads((out / "run.json").read_text())["peak_memory_mb"]
