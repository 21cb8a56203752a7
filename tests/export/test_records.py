"""The table as JSON: the same content as the CSV."""

import csv
import json
from dataclasses import replace

import pytest

from painted_results import hard_labels, pairs_of, results_of, write


def turned(pairs):
    """The same with rotated boxes: those of objects that are lost have no corners."""
    corners = ((1.5, 2.0), (3.0, 0.5), (4.25, 1.75), (2.75, 3.25))
    return [
        (
            frame,
            replace(
                result,
                objects={
                    i: replace(each, rotated=corners if each.area else ())
                    for i, each in result.objects.items()
                },
            ),
        )
        for frame, result in pairs
    ]


@pytest.mark.parametrize("given", [lambda pairs: pairs, turned])
def test_content_is_that_of_the_table(tmp_path, given):
    pairs = given(pairs_of(results_of(hard_labels(), known=(9,)), first=3))
    write("csv", tmp_path, pairs)
    write("json", tmp_path, pairs)
    with (tmp_path / "objects.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    records = json.loads((tmp_path / "objects.json").read_text())
    assert len(rows) == len(records) > 5
    for row, record in zip(rows, records, strict=True):
        assert list(row) == list(record)
        for column, text in row.items():
            value = record[column]
            if column == "state":
                assert value == text
            elif text == "":
                assert value is None
            else:
                assert value == float(text)


def test_corners_follow_where_there_are_rotated_boxes(tmp_path):
    write("csv", tmp_path, turned(pairs_of(results_of(hard_labels(), known=(9,)))))
    with (tmp_path / "objects.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][12:] == [f"rotated_{axis}{n}" for n in range(4) for axis in "xy"]
    seen = next(row for row in rows if row[9] == "present")
    assert [float(value) for value in seen[12:]] == [1.5, 2.0, 3.0, 0.5, 4.25, 1.75, 2.75, 3.25]
    assert all(row[10:] == [""] * 10 for row in rows if row[9] == "lost")


@pytest.mark.parametrize("pairs", [[], pairs_of(results_of(hard_labels()[2:3]))])
def test_nothing_is_an_empty_list(tmp_path, pairs):
    write("json", tmp_path, pairs)
    assert json.loads((tmp_path / "objects.json").read_text()) == []


def test_a_record_stands_on_a_line(tmp_path):
    write("json", tmp_path, pairs_of(results_of(hard_labels())))
    lines = (tmp_path / "objects.json").read_text().splitlines()
    assert (lines[0], lines[-1]) == ("[", "]") and len(lines) == 2 + 6
