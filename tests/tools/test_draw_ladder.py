"""The plot of the relays: what stands in the log is what is drawn."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

import draw_ladder
from relay_log import Leg, append

FIRST = Leg("a", "recipe", "ab", 1, "", None, after="1", score_after=0.25, clips_so_far=100)
LEGS = [
    FIRST,
    replace(FIRST, model="b", after="2", score_after=0.125, clips_so_far=50),
    replace(
        FIRST, before="1", score_before=0.3, after="3", score_after=0.5, clips=150, clips_so_far=300
    ),
]


def test_a_point_for_each_leg_a_line_from_its_start_and_one_across_for_each_rung() -> None:
    (axes,) = draw_ladder.draw(LEGS, {"copy": 0.2}).axes
    a, leg, b, rung = axes.lines
    assert {line.get_label(): line.get_xydata().tolist() for line in (a, b)} == {
        "a": [[100, 0.25], [300, 0.5]],
        "b": [[50, 0.125]],
    }
    assert leg.get_xydata().tolist() == [[150, 0.3], [300, 0.5]]
    assert leg.get_color() == a.get_color()
    assert list(rung.get_ydata()) == [0.2, 0.2]
    assert "copy 0.200" in [text.get_text() for text in axes.texts]


def test_the_command_reads_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log, out = tmp_path / "log.csv", tmp_path / "ladder.png"
    for leg in LEGS:
        append(log, leg)
    monkeypatch.setattr(sys, "argv", ["", str(out), "--log", str(log), "--rung", "flow=0.4"])
    draw_ladder.main()
    with Image.open(out) as picture:
        assert picture.width > picture.height > 100
    monkeypatch.setattr(sys, "argv", ["", str(out), "--log", "nowhere"])
    with pytest.raises(SystemExit, match="nowhere holds no legs"):
        draw_ladder.main()
    log.write_text("no,log\n1,2\n")
    monkeypatch.setattr(sys, "argv", ["", str(out), "--log", str(log)])
    with pytest.raises(SystemExit, match="is no log of relays"):
        draw_ladder.main()
