"""A function fits on a screen."""

import ast
import statistics
from pathlib import Path

ROOT = Path(__file__).parents[1] / "src" / "masktrail"

MOST, USUAL = 60, 8
"""Lines of the longest function, and of most."""


def test_functions_are_short() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    }
    assert len(lengths) > 1000
    assert not {name: lines for name, lines in lengths.items() if lines > MOST}
    assert statistics.median(lengths.values()) <= USUAL
