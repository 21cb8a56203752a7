"""Talking to the server of the page as the page does."""

import http.cookiejar
import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from masktrail.web import tracking

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


def begin_and_stand_still(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begins a run that waits at its third frame until it is to pause."""
    real = tracking.Tracking._progress

    def progress(self: Any, done: int, expected: int | None) -> None:
        real(self, done, expected)
        if done == 3:
            self._pausing.wait(60)

    monkeypatch.setattr(tracking.Tracking, "_progress", progress)
    client.post("/api/run")
    while (told := client.get("/api/run").json())["done"] < 3:
        assert told["state"] in ("loading", "running"), told
        time.sleep(0.02)


class Visitor:
    """A browser that shows nothing, of a server that is a process of its own."""

    def __init__(self, address: str) -> None:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._open = urllib.request.build_opener(cookies).open
        self._base = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(address))
        self._open(address).close()  # leaves the cookie

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Origin": self._base}
        request = urllib.request.Request(f"{self._base}/api/{path}", content, headers)
        request.method = method
        with self._open(request) as answer:
            return json.load(answer)


def wait_for(visitor: Visitor, *states: str, frames: int = 0) -> dict[str, Any]:
    """Asks until a run has come to one of the states, and so many frames."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        told = visitor.ask("GET", "run")
        if told["state"] in states and told["done"] >= frames:
            return told
        time.sleep(0.01)
    raise AssertionError(told)
