"""Changing some entries of a batch."""

import torch

from masktrail.data.rows import change_rows


def test_those_chosen_are_changed_and_the_others_stay() -> None:
    values, others = torch.arange(4.0)[:, None].expand(4, 3).clone(), torch.arange(4.0) * 100
    chosen = torch.tensor([False, True, False, True])
    changed = change_rows(chosen, lambda x, other: -x + other[:, None], values, others)
    assert changed[:, 0].tolist() == [0, 99, 2, 297]
    assert values[:, 0].tolist() == [0, 1, 2, 3], "what was given is left as it is"


def test_where_none_is_chosen_nothing_is_asked_of_the_change() -> None:
    values = torch.ones(2, 3)
    assert change_rows(torch.zeros(2, dtype=torch.bool), lambda _: 1 / 0, values) is values
