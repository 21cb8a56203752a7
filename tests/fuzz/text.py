"""Edits of what people and programs write: tables, JSON, TOML, marks on a command line."""

import codecs
import csv
import io
import json
import re
from typing import Any

from hypothesis import strategies as st

from fuzz import raw

ODD = (
    *("", " ", "0", "-1", "1.5", "1e9", "nan", "inf", "0x10", "true", "null", "-", '"', "'"),
    *("../x", "/dev/null", "a\x00b", "=1+1", "ü" * 300, "[]", "{}", "1,2", "1;2", "\n", "\ufeff"),
)
"""Texts where others are expected."""

VALUES = (None, True, 0, -1, 1.5, 2**70, 1e300, "", "x", "../x", [], [None], {}, {"x": 1})
"""JSON where other JSON is expected."""

LITERALS = (
    *('""', '"x"', "-1", "0", "3", "1.5", "1e300", "nan", "inf", "true", "99999999999999999999"),
    *("[]", "[1]", '["x"]', "[nan]", "[[1]]", "{}", "{ x = 1 }"),
)
"""TOML where other TOML is expected."""


VALUE, WHOLE_VALUE = r"(?<== )[^][{},\n]+", r"(?<== ).+"
"""In TOML: a plain one, and all that stands behind a name, a table or a list too."""


@st.composite
def table(draw: st.DrawFn, data: bytes) -> bytes:
    """A table with one cell to three changed, lines lost or doubled, in another dress."""
    rows = list(csv.reader(io.StringIO(data.decode())))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(rows) - 1))
        match draw(st.sampled_from(("cell", "cell", "cell", "row", "twice", "short"))):
            case "cell":
                column = draw(st.integers(0, len(rows[place]) - 1))
                rows[place][column] = draw(_odd_text())
            case "row" if len(rows) > 1:
                del rows[place]
            case "twice":
                rows.insert(place, list(rows[place]))
            case "short" if len(rows[place]) > 1:
                rows[place].pop()
    between = draw(st.sampled_from((",", ",", ",", ";", "\t", "|", "^")))
    written = io.StringIO()
    end = draw(st.sampled_from(("\n", "\r\n", "\r")))
    csv.writer(written, delimiter=between, lineterminator=end).writerows(rows)
    return draw(dressed(written.getvalue()))


@st.composite
def dressed(draw: st.DrawFn, text: str) -> bytes:
    """A text in some encoding, now and then not quite."""
    code = draw(st.sampled_from(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1")))
    data = codecs.encode(text, code, "replace")
    return draw(raw.edited(data)) if data and draw(st.integers(0, 4)) == 4 else data


@st.composite
def tree(draw: st.DrawFn, value: Any) -> Any:
    """Plain values with a few of them replaced, renamed or gone."""
    value = json.loads(json.dumps(value))
    for _ in range(draw(st.integers(1, 3))):
        places = _places(value)
        if not places:
            return draw(st.sampled_from(VALUES))
        holder, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(("other", "other", "gone", "renamed"))):
            case "other":
                holder[key] = draw(st.sampled_from(VALUES) | _odd_text())
            case "gone":
                del holder[key]
            case "renamed" if isinstance(holder, dict):
                holder[draw(_odd_text())] = holder.pop(key)
    return value


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every holder and key under a value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if _many(value) else ()
    own = [(value, key) for key in keys]
    return own + [place for holder, key in own for place in _places(holder[key])]


def _many(value: Any) -> bool:
    return isinstance(value, list)


@st.composite
def json_file(draw: st.DrawFn, data: bytes) -> bytes:
    """JSON with other values, or with other letters."""
    if draw(st.booleans()):
        return json.dumps(draw(tree(json.loads(data)))).encode()
    return draw(raw.edited(data))


@st.composite
def toml_file(draw: st.DrawFn, data: bytes) -> bytes:
    """TOML with other values, or with other letters."""
    text = data.decode()
    for _ in range(draw(st.integers(1, 2))):
        values = [*re.finditer(VALUE, text), *re.finditer(WHOLE_VALUE, text)]
        if values:
            value = draw(st.sampled_from(values))
            text = text[: value.start()] + draw(st.sampled_from(LITERALS)) + text[value.end() :]
    return draw(dressed(text))


@st.composite
def argument(draw: st.DrawFn, text: str) -> str:
    """A text of a command line with one number or sign replaced."""
    parts = re.findall(r"[0-9.]+|[^0-9.]+", text)
    place = draw(st.integers(0, len(parts) - 1))
    parts[place] = draw(_odd_text())
    return "".join(parts).replace("\x00", "")  # which no system passes on


def _odd_text() -> st.SearchStrategy[str]:
    return st.sampled_from(ODD) | st.integers(-5, 200).map(str)
