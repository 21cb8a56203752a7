"""Weights files: where they are looked for, and what happens when they are not there or damaged."""

import hashlib
import logging
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from masktrail.errors import InputError
from masktrail.zoo.fetch import VARIABLE, find, sha256

CONTENT = {"m-00001-of-00002.safetensors": b"first" * 1000, "m-00002-of-00002.safetensors": b"two"}
FILES = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
FIRST, SECOND = FILES


class Places:
    """Every place weights can lie in, all empty."""

    def __init__(self, root: Path) -> None:
        self.shipped = root / "tree" / "src" / "masktrail" / "weights"
        self.given, self.tree = root / "given", root / "tree" / "weights"
        self.cache, self.served = root / "cache" / "masktrail", root / "served"
        for folder in (self.shipped, self.given, self.tree, self.served):
            folder.mkdir(parents=True)
        (root / "tree" / "pyproject.toml").touch()


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    found = Places(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(VARIABLE, str(found.given))
    monkeypatch.setenv("no_proxy", "*")
    return found


class Handler(SimpleHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012

    def log_message(self, *how: object) -> None:
        self.asked.append(self.path)


@pytest.fixture
def address(places: Places) -> Iterator[str]:
    """Where the folder `served` is published, on this machine."""
    Handler.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(places.served)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def put(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    return folder


def test_the_nearest_place_that_has_all_is_taken(places: Places, address: str) -> None:
    put(places.served)
    order = [places.shipped, places.given, places.tree, places.cache]
    for folder in reversed(order):
        put(folder)
        assert find(FILES, places.shipped, address) == folder / FIRST
    assert not Handler.asked
    (places.shipped / SECOND).unlink()
    assert find(FILES, places.shipped) == places.given / FIRST


def test_without_a_source_tree_there_is_none_to_look_in(places: Places) -> None:
    put(places.tree)
    (places.tree.parent / "pyproject.toml").unlink()
    with pytest.raises(InputError) as refusal:
        find(FILES, places.shipped)
    assert str(places.tree) not in str(refusal.value)


def test_what_is_missing_is_named_with_where_it_was_looked_for(places: Places) -> None:
    (put(places.tree) / SECOND).unlink()
    with pytest.raises(InputError) as refusal:
        find(FILES, places.shipped)
    said = str(refusal.value)
    assert said.startswith(f"The weights {SECOND} are missing; looked in ")
    for folder in (places.shipped, places.given, places.tree, places.cache):
        assert str(folder) in said
    assert VARIABLE in said and FIRST not in said


@pytest.mark.parametrize("name", CONTENT)
def test_a_damaged_file_is_named(places: Places, name: str) -> None:
    path = put(places.tree) / name
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(InputError, match=f"{name} is damaged .*delete it and fetch it again"):
        find(FILES, places.shipped)


@pytest.mark.parametrize("by_variable", [False, True])
def test_missing_files_are_fetched_once(
    places: Places,
    address: str,
    by_variable: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    put(places.served)
    monkeypatch.setenv(VARIABLE, address + "/" if by_variable else "")
    url = "http://127.0.0.1:9/nothing" if by_variable else address
    with caplog.at_level(logging.INFO, "masktrail"):
        assert find(FILES, places.shipped, url) == places.cache / FIRST
    assert sorted(path.name for path in places.cache.iterdir()) == list(FILES)
    assert [(places.cache / name).read_bytes() for name in FILES] == list(CONTENT.values())
    assert Handler.asked == [f"/{name}" for name in FILES]
    assert any(FIRST in record.message and "MB" in record.message for record in caplog.records)
    find(FILES, places.shipped, url)
    assert len(Handler.asked) == 2, "taken from the cache"
    (places.cache / SECOND).unlink()
    find(FILES, places.shipped, url)
    assert Handler.asked[2:] == [f"/{SECOND}"]


def test_what_is_not_as_published_is_not_kept(places: Places, address: str) -> None:
    (put(places.served) / SECOND).write_bytes(b"tw")
    with pytest.raises(InputError, match=f"{SECOND} sent is not the file published"):
        find(FILES, places.shipped, address)
    assert [path.name for path in places.cache.iterdir()] == [FIRST]


@pytest.mark.parametrize("what", ["not there", "nobody listens"])
def test_a_failed_download_is_told_and_leaves_nothing(
    places: Places, address: str, what: str
) -> None:
    url, words = (address, "404") if what == "not there" else ("http://127.0.0.1:9", "refused")
    with pytest.raises(InputError, match=f"{FIRST} could not be fetched .*{words}.*set {VARIABLE}"):
        find(FILES, places.shipped, url)
    assert not list(places.cache.iterdir())


def test_a_cache_that_cannot_be_made_is_told(
    places: Places, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(places.served)
    monkeypatch.setenv("XDG_CACHE_HOME", str(places.served / FIRST))
    with pytest.raises(InputError, match=f"{FIRST}.* could not be written"):
        find(FILES, places.shipped, address)


def test_an_unreadable_file_has_no_hash(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.safetensors cannot be read"):
        sha256(tmp_path / "nothing.safetensors")
