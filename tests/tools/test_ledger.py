"""The relay's log: what is written is read back, and a weight's chain is found in it."""

from dataclasses import replace
from pathlib import Path

import pytest

from ledger import Leg, append, chain, read
from masktrail.errors import InputError

FIRST = Leg(
    date="2026-11-28",
    model="unet",
    recipe="recipes/relay/unet.toml",
    recipe_sha256="ab" * 32,
    seed=100,
    before="",
    after="1a" * 32,
    steps=500,
    clips=4000,
    clips_so_far=4000,
    minutes=12.5,
    processor='AMD "EPYC", 2 threads',
    score_before=None,
    score_after=0.25,
)
SECOND = replace(FIRST, before=FIRST.after, after="2b" * 32, score_before=0.25, score_after=0.5)
FORK = replace(SECOND, after="2c" * 32)
THIRD = replace(SECOND, before=SECOND.after, after="3d" * 32)


def test_legs_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "relay.csv"
    assert read(path) == []
    for leg in (FIRST, SECOND):
        append(path, leg)
    assert read(path) == [FIRST, SECOND]
    assert len(path.read_text().splitlines()) == 3


def test_a_chain_leads_from_its_start_to_the_weights() -> None:
    legs = [FIRST, SECOND, FORK, THIRD]
    assert chain(legs, THIRD.after) == [FIRST, SECOND, THIRD]
    assert chain(legs, "2c") == [FIRST, FORK], "the beginning of a SHA-256 is enough"
    assert chain(legs, FIRST.after) == [FIRST]


@pytest.mark.parametrize(("weights", "found"), [("9", "0"), ("2", "2"), ("", "0")])
def test_weights_have_to_be_named_as_one_leg_made_them(weights: str, found: str) -> None:
    with pytest.raises(InputError, match=f"^{found} weights .* expected one of 1a1a1a1a, 2b2b2b2b"):
        chain([FIRST, SECOND, FORK], weights)


@pytest.mark.parametrize("text", ["model,recipe\nunet,x\n", "seed\nmany\n"])
def test_what_is_no_log_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "relay.csv").write_text(text)
    with pytest.raises(InputError, match="no log of relays"):
        read(tmp_path / "relay.csv")


def test_the_project_s_own_log_can_be_read() -> None:
    legs = read(Path(__file__).parents[2] / "docs" / "relay.csv")
    assert {"unet", "siamese-unet"} <= {leg.model for leg in legs}
    for leg in legs:
        assert chain(legs, leg.after)[-1] == leg
        assert leg.clips_so_far == sum(each.clips for each in chain(legs, leg.after))
