"""The table as JSON: the same content as the CSV."""

import csv
import json

import pytest

from painted_results import hard_labels, pairs_of, results_of, write


def test_content_is_that_of_the_table(tmp_path):
    pairs = pairs_of(results_of(hard_labels(), known=(9,)), first=3)
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


@pytest.mark.parametrize("pairs", [[], pairs_of(results_of(hard_labels()[2:3]))])
def test_nothing_is_an_empty_list(tmp_path, pairs):
    write("json", tmp_path, pairs)
    assert json.loads((tmp_path / "objects.json").read_text()) == []


def test_a_record_stands_on_a_line(tmp_path):
    write("json", tmp_path, pairs_of(results_of(hard_labels())))
    lines = (tmp_path / "objects.json").read_text().splitlines()
    assert (lines[0], lines[-1]) == ("[", "]") and len(lines) == 2 + 6
