"""The relay's log: what is written is read back, and a weight's chain is found in it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

import relay_log
from masktrail.errors import InputError
from masktrail.zoo import CARDS, weights_origin, weights_path
from relay_log import Leg, append, chain, keep, kept, read_log

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
    rate=0.125,
    processor='AMD "EPYC", 2 threads',
    score_before=None,
    score_after=0.25,
)
SECOND = replace(FIRST, before=FIRST.after, after="2b" * 32, score_before=0.25, score_after=0.5)
FORK = replace(SECOND, after="2c" * 32)
THIRD = replace(SECOND, before=SECOND.after, after="3d" * 32)


@pytest.fixture(autouse=True)
def at_a_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_legs_are_read_as_they_were_written() -> None:
    path = Path("relay.csv")
    assert read_log(path) == []
    for leg in (FIRST, SECOND, FIRST):
        append(path, leg)
    assert read_log(path) == [FIRST, SECOND], "each once"
    assert len(path.read_text().splitlines()) == 3


def test_no_line_is_lost_when_several_are_written_at_once() -> None:
    path = Path("relay.csv")
    legs = [replace(FIRST, after=f"{number:064}") for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda leg: append(path, leg), legs))
    assert sorted(leg.after for leg in read_log(path)) == [leg.after for leg in legs]


def test_a_leg_is_kept_while_it_runs() -> None:
    begun = Leg("unet", "recipes/relay/unet.toml", "ab" * 32, 100, "", None)
    keep(Path("leg.json"), begun)
    assert kept(Path("leg.json")) == begun
    for text in ("", "{}", '{"model": 1, "more": 2}', "[]"):
        Path("other.json").write_text(text)
        assert kept(Path("other.json")) is None
    assert kept(Path("nowhere.json")) is None


def test_a_chain_leads_from_its_start_to_the_weights() -> None:
    legs = [FIRST, SECOND, FORK, THIRD, SECOND]  # the last as a merge may leave it
    assert chain(legs, THIRD.after) == [FIRST, SECOND, THIRD]
    assert chain(legs, "2c") == [FIRST, FORK], "the beginning of a SHA-256 is enough"
    assert chain(legs, FIRST.after) == [FIRST]


@pytest.mark.parametrize(("weights", "found"), [("9", "0"), ("2", "2"), ("", "0")])
def test_weights_have_to_be_named_as_one_leg_made_them(weights: str, found: str) -> None:
    with pytest.raises(InputError, match=f"^{found} weights .* expected one of 1a1a1a1a, 2b2b2b2b"):
        chain([FIRST, SECOND, FORK], weights)


def test_a_ring_of_legs_is_refused() -> None:
    with pytest.raises(InputError, match="ring"):
        chain([replace(FIRST, before=SECOND.after), SECOND], SECOND.after)
    with pytest.raises(InputError, match="ring"):
        chain([replace(FIRST, before=FIRST.after)], FIRST.after)


@pytest.mark.parametrize("text", ["model,recipe\nunet,x\n", "seed\nmany\n"])
def test_what_is_no_log_is_refused(text: str) -> None:
    Path("relay.csv").write_text(text)
    with pytest.raises(InputError, match="no log of relays"):
        read_log(Path("relay.csv"))


def test_the_project_s_own_log_can_be_read() -> None:
    legs = read_log(Path(__file__).parents[2] / "docs" / "relay.csv")
    assert {"unet", "siamese-unet"} <= {leg.model for leg in legs}
    for leg in legs:
        assert chain(legs, leg.after)[-1] == leg
        assert leg.clips_so_far == sum(each.clips for each in chain(legs, leg.after))


@pytest.mark.parametrize("model", [n for n, c in CARDS.items() if "relay" in (c.recipe or "")])
def test_cards_say_how_long_the_relay_took(model: str) -> None:
    path = weights_path(model)
    assert path is not None
    legs = chain(
        read_log(Path(relay_log.__file__).parents[1] / "docs/relay.csv"), weights_origin(path)
    )
    clips, minutes = sum(leg.clips for leg in legs), sum(leg.minutes for leg in legs)
    assert legs[-1].clips_so_far == clips
    told = f"{clips:,} clips in {minutes:.0f} minutes on two CPU cores"
    assert CARDS[model].training == told
