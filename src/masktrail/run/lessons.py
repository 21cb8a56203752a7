"""What trackers learned, in a journal: by what it was learned from, each once."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from masktrail.run.states import packed_state, unpacked_state

Rows = list[tuple[Any, ...]]


class Lessons(MutableMapping[str, Mapping[str, Any]]):
    """The lessons of a journal; what is put in is kept at once, whatever ends the process.

    Args:
        execute: executes an SQL statement with values and gives its rows.
        explained: within which what is damaged becomes a sentence.
    """

    def __init__(
        self,
        execute: Callable[..., Rows],
        explained: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._execute, self._explained = execute, explained

    def __getitem__(self, key: str) -> dict[str, Any]:
        rows = self._of(key, "content")
        if not rows:
            raise KeyError(key)
        with self._explained():
            return unpacked_state(rows[0][0])

    def __setitem__(self, key: str, lesson: Mapping[str, Any]) -> None:
        if key not in self:
            self._execute("CREATE TABLE IF NOT EXISTS lessons (key TEXT PRIMARY KEY, content BLOB)")
            content = packed_state(dict(lesson))
            self._execute("INSERT INTO lessons VALUES (?, ?)", key, content)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self._execute("DELETE FROM lessons WHERE key = ?", key)

    def __contains__(self, key: object) -> bool:
        return bool(self._of(key, "key"))

    def __iter__(self) -> Iterator[str]:
        rows = self._execute("SELECT key FROM lessons") if self._is_there() else []
        return iter([key for (key,) in rows])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _of(self, key: object, column: str) -> Rows:
        if not self._is_there():
            return []
        return self._execute(f"SELECT {column} FROM lessons WHERE key = ?", key)

    def _is_there(self) -> bool:
        """Whether anything was ever learned: most journals have no such table."""
        return bool(self._execute("SELECT 1 FROM sqlite_master WHERE name = 'lessons'"))
