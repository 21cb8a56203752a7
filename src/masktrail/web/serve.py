"""Starting the server on this computer, and saying where."""

import html
import os
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp

from masktrail.errors import InputError
from masktrail.files import make_folder
from masktrail.web.allowed_files import AllowedFiles

OLD_PROJECTS = "masktrail-projects"
"""Folder of the projects of version 0.1, in the present one."""

HOST = "127.0.0.1"
"""Nobody beyond this computer can reach it."""


def serve(
    video: Path | None,
    port: int,
    folders: Sequence[Path],
    projects: Path | None,
    upload_limit_mb: int,
    browse: bool,
    say: Callable[[str], None],
) -> None:
    """Serves the page until it is interrupted.

    Args:
        video: to be opened at once.
        port: to listen on; 0: a free one.
        folders: whose videos may be opened; by default that of `video`, or the present one.
        projects: folder for the projects; `default_projects` by default.
        upload_limit_mb: MiB.
        browse: whether a browser is to show the page.
        say: called with the address.

    Raises:
        InputError: a folder or the video is not there, or the port is taken.
    """
    import uvicorn

    from masktrail.web.server import create_app

    listening = _listen(port)
    port, token = listening.getsockname()[1], secrets.token_urlsafe(16)
    allowed = make_allowed_files(video, folders, projects or default_projects(), upload_limit_mb)
    app = create_app(allowed, token, port)
    if video is not None:
        app.state.session.open_video(str(video))
    address = f"http://{HOST}:{port}/?token={token}"
    say(address)
    say(f"Projects are in {allowed.projects}.")
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)
    with redirect(address, allowed.projects) as file:
        if browse:
            threading.Timer(0.5, webbrowser.open, [file.as_uri()]).start()
        uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def redirect(address: str, folder: Path) -> Iterator[Path]:
    """A file that leads a browser to an address, for this user's eyes alone.

    The command line of the browser, which all users of the computer see, then tells no token. It
    does not lie where temporary files do: browsers in a sandbox may not read there.
    """
    handle, name = mkstemp(".html", ".open-", folder)  # 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(f'<meta http-equiv="refresh" content="0; url={html.escape(address)}">')
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def default_projects() -> Path:
    """Where projects are kept: in the present folder if there are any, as before, else at home."""
    folder = Path(OLD_PROJECTS)
    return folder if folder.is_dir() else Path.home() / "MaskTrail"


def make_allowed_files(
    video: Path | None, folders: Sequence[Path], projects: Path, upload_limit_mb: int
) -> AllowedFiles:
    """The files that the page may use; see `serve`.

    Raises:
        InputError: a folder or the video is not there.
    """
    if video is not None and not video.exists():
        raise InputError(f"There is no file or folder {video}; check the path.")
    named = [*folders] or [video.resolve().parent if video else Path.cwd()]
    missing = [folder for folder in named if not folder.is_dir()]
    if missing:
        raise InputError(f"There is no folder {missing[0]}; name one that is there.")
    roots = [folder.resolve() for folder in named]
    if video is not None and not any(video.resolve().is_relative_to(root) for root in roots):
        roots.append(video.resolve())
    make_folder(projects)
    return AllowedFiles(tuple(dict.fromkeys(roots)), projects.resolve(), upload_limit_mb * 2**20)


def _listen(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen()  # whoever comes at once waits
    except (OSError, OverflowError) as error:
        listening.close()
        raise InputError(f"Port {port} cannot be used ({error}); choose another one.") from error
    return listening
