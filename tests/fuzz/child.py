"""What a trial does, in a process of its own that was forked from one with all imports done."""

import os
import re
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PRELOADED = [
    *("PIL.PngImagePlugin", "PIL.JpegImagePlugin", "av", "cv2", "torch", "scipy.ndimage"),
    *("rich.progress", "fastapi.testclient", "matplotlib.pyplot"),
    *("masktrail.cli", "masktrail.cli.terminal", "masktrail.run", "masktrail.batch.work"),
    *("masktrail.families.flow.propagator", "masktrail.models", "masktrail.train.loop"),
    *("masktrail.data.check", "masktrail.evaluate.folders", "masktrail.web.server"),
]
"""Imported once, before anything is forked."""

MEMORY = 8 * 2**30
"""Bytes of addresses that a trial may take."""

UNFORESEEN = re.compile(r"^(\w+(Error|Exception|Interrupt|Exit)\b|.* failed: \w+\()")
"""How what nobody foresaw is told by those who go on all the same."""


Work = Callable[..., int | None]
"""What is done with texts from a command line; returns an exit code, if it does not end by one."""


def run(folder: Path, work: Work, arguments: tuple[str, ...]) -> None:
    """Does one piece of work in `folder`; the process ends with its exit code.

    What it says is in `said.out` and `said.err` beside the folder.
    """
    os.chdir(folder)
    names = {"HOME": "home", "TMPDIR": "tmp", "MPLCONFIGDIR": "../plots"}
    os.environ |= {name: str(folder / path) for name, path in names.items()}
    for number, name in ((1, "out"), (2, "err")):
        file = os.open(folder.parent / f"said.{name}", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.dup2(file, number)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(work(*arguments))


def command(*arguments: str) -> None:
    """What `masktrail ARGUMENTS` does."""
    from masktrail import cli

    sys.argv = ["masktrail", *arguments]
    cli.main()


def batch(manifest: str, out: str) -> int:
    """What `masktrail batch` does, without processes for the videos."""
    from masktrail.batch.manifest import read_tasks
    from masktrail.batch.work import Options, do
    from masktrail.errors import InputError
    from masktrail.settings import ModelOptions

    try:
        statuses = [
            do(task, Path(out) / task.name, Options(ModelOptions("copy"), "davis,csv"))
            for task in read_tasks(manifest)
        ]
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    for status in statuses:
        _foreseen(status.said)
    return 0 if all(status.state == "done" for status in statuses) else 3


def page(projects: str) -> int:
    """What a visitor does who opens each project, looks, tracks and exports."""
    from fastapi.testclient import TestClient

    from masktrail.web.allowed_files import AllowedFiles
    from masktrail.web.server import create_app
    from visitor import ADDRESS, PORT, TOKEN

    folder = Path(projects).resolve()
    with TestClient(
        create_app(AllowedFiles((folder,), folder, 2**20), TOKEN, PORT), ADDRESS
    ) as client:
        client.get("/", params={"token": TOKEN})
        codes = [_ask(client, "get", "state")]
        for name in sorted(os.listdir(folder)):
            codes.append(_ask(client, "post", "open", json={"project": name}))
            if codes[-1] == 200:
                codes += _visit(client)
    return 0 if set(codes) <= {200, 204} else 3


def _visit(client: Any) -> list[int]:
    from visitor import wait

    codes = [_ask(client, "get", what) for what in ("frames/0", "labels/0", "labels/5", "run")]
    mark = client.get("/api/state").json()["open"]["mark"]
    codes.append(_ask(client, "put", "mark", json=mark))
    if _ask(client, "post", "run") == 200:
        told = wait(client, "run", "done", "failed", "paused")
        _foreseen(told["message"])
        codes.append(_ask(client, "post", "export", json={"exports": ["coco"]}))
        if codes[-1] == 200:
            _foreseen(wait(client, "export", "done", "failed")["message"])
    return codes


def _ask(client: Any, method: str, what: str, **how: Any) -> int:
    answer = getattr(client, method)(f"/api/{what}", **how)
    if answer.status_code >= 400:
        assert answer.status_code < 500 and answer.json()["detail"], answer.text
    return answer.status_code


def _foreseen(said: str | None) -> None:
    if said and UNFORESEEN.match(said):
        raise AssertionError(said)
