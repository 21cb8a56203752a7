"""Talking to the server of the page as the page does."""

import time
from collections.abc import Callable
from typing import Any

TOKEN, PORT = "let-me-in", 8123
ADDRESS = f"http://127.0.0.1:{PORT}"

Enter = Callable[..., Any]
"""Starts a server and gives a client of it, `inside` or without the token."""


def marked(frame: int = 0, settings: dict[str, Any] | None = None, **prompt: Any) -> dict[str, Any]:
    """Marks of one object in one frame."""
    one = {"box": None, "points": [], "mask": None, **prompt}
    return {
        "objects": [{"id": 1, "name": "disc", "color": "#12ab34"}],
        "prompts": {str(frame): {"1": one}},
        "settings": {"model": "memory-s", "direction": "both", "own": {}, **(settings or {})},
    }


def wait(client: Any, what: str, *states: str) -> dict[str, Any]:
    """Asks until a run or an export has come to one of the states."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        told = client.get(f"/api/{what}").json()
        if told["state"] in states:
            return told
        time.sleep(0.05)
    raise AssertionError(told)
