"""Legs of a relay: each goes on from the last, is written down, and can be made again."""

import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import ingredients
import relay
from ledger import chain, read
from masktrail.errors import InputError
from masktrail.models.fetch import sha256
from masktrail.models.weights import load_network, publish, read_config
from masktrail.train.recipe import read_recipe
from masktrail.train.trainer import trained_minutes
from masktrail.zoo import Card
from remake import remake

MINUTES = 0.2
"""Four steps of a `TickingClock`."""

SCRIPT = Path(relay.__file__)


def leg() -> relay.Leg:
    return relay.run_leg("small", MINUTES, lambda: False)


def test_a_leg_packs_what_is_missing_trains_and_is_written_down(tree: Path) -> None:
    made = leg()
    assert read(tree / "docs" / "relay.csv") == [
        replace(made, minutes=round(made.minutes, 1), score_after=round(made.score_after, 3))
    ]
    weights = tree / "runs" / "relay" / "small" / "leg-1" / "weights.safetensors"
    assert (made.model, made.recipe) == ("small", "recipes/relay/small.toml")
    assert made.recipe_sha256 == sha256(tree / made.recipe)
    assert (made.before, made.after) == ("", sha256(weights))
    assert made.score_before is None and 0 <= made.score_after <= 1
    assert made.clips == made.clips_so_far == 2 * made.steps
    assert (made.steps, made.minutes) == (4, MINUTES)
    assert {path.name for path in (tree / "packs").iterdir()} == {"stills", "davis2016-train"}


def test_the_next_leg_goes_on_from_the_last_with_other_clips(tree: Path) -> None:
    first, second = leg(), leg()
    assert second.before == first.after != second.after
    assert second.score_before == pytest.approx(first.score_after)
    assert second.clips_so_far == first.clips + second.clips
    assert (first.seed, second.seed) == (7, 8)
    log = read(tree / "docs" / "relay.csv")
    assert [each.after for each in chain(log, second.after)] == [first.after, second.after]
    assert (tree / "runs" / "relay" / "small" / "leg-1").is_dir(), "nothing is deleted"


def test_a_leg_that_was_cut_off_is_gone_on_with(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(relay, "_last_row", lambda table: 1 / 0)  # as if killed before its line
        with pytest.raises(ZeroDivisionError):
            leg()
    folder = tree / "runs" / "relay" / "small" / "leg-1"
    before = trained_minutes(folder)
    made = leg()
    assert made.minutes > before > 0
    assert [path.name for path in folder.parent.iterdir() if path.is_dir()] == ["leg-1"]


def test_published_weights_are_taken_up_where_the_legs_are_gone(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = leg()
    trained = tree / "runs" / "relay" / "small" / "leg-1" / "weights.safetensors"
    network, _ = load_network(trained)
    shipped = tree / "weights"
    shipped.mkdir()
    files = publish(network, *read_config(trained), shipped, "small", origin=sha256(trained))
    card = Card("siamese-unet", "", 64, files)
    monkeypatch.setattr(relay, "CARDS", {"small": card})
    monkeypatch.setattr("masktrail.zoo.CARDS", {"small": card})
    monkeypatch.setenv("MASKTRAIL_WEIGHTS", str(shipped))
    (tree / "runs").rename(tree / "elsewhere")
    found, known = relay.newest("small", tree / "runs" / "relay" / "small", [first])
    assert found == shipped / next(iter(files)) and known == first.after
    second = leg()
    assert second.before == first.after and second.clips_so_far > first.clips
    later = tree / "runs" / "relay" / "small"
    found, known = relay.newest("small", later, [first, second])
    assert known == second.after, "what was trained from them is newer"


def test_a_leg_without_time_to_train_is_refused(tree: Path) -> None:
    with pytest.raises(InputError, match="No time is left to train in the 0 minutes"):
        relay.run_leg("small", 0, lambda: False)
    with pytest.raises(InputError, match="No time is left"):
        relay.run_leg("small", 5, lambda: True)
    assert not (tree / "docs" / "relay.csv").exists()


def test_two_relays_of_a_model_do_not_run_at_once(tree: Path) -> None:
    runs = tree / "runs" / "relay" / "small"
    second = pytest.raises(InputError, match="Another relay trains in")
    with relay._alone(runs), second, relay._alone(runs):
        pass
    with relay._alone(runs):
        pass


def test_packs_and_starts_that_nothing_makes_are_refused(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = read_recipe(tree / "recipes" / "relay" / "small.toml")
    with pytest.raises(InputError, match="no pack packs/mine; known are packs/stills"):
        ingredients.make_missing(replace(recipe, stills="packs/mine"))
    with pytest.raises(InputError, match="no packs/start to start from"):
        ingredients.make_missing(replace(recipe, init="packs/start"))
    monkeypatch.setattr(ingredients, "STARTS", {"packs/start": lambda path: path.touch()})
    ingredients.make_missing(replace(recipe, init="packs/start"))
    assert (tree / "packs" / "start").is_file()


def test_a_chain_is_made_again_from_its_lines(tree: Path) -> None:
    recipe = tree / "recipes" / "relay" / "small.toml"
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "recipe"]):
        run_git(*command)
    legs = [leg()]
    recipe.write_text(recipe.read_text().replace("batch = 2", "batch = 3"))
    legs.append(leg())
    again = list(remake(legs, tree / "again"))
    assert [made for made, _ in again] == legs
    for made, folder in again:
        rows = (folder / "log.csv").read_text().splitlines()
        assert int(rows[-1].split(",")[1]) == made.steps
    assert [folder.name for _, folder in again] == ["leg-1", "leg-2"]
    assert sum(made.clips for made in legs) == 2 * legs[0].steps + 3 * legs[1].steps
    unknown = replace(legs[0], recipe_sha256="0" * 64)
    with pytest.raises(InputError, match="Neither the files here nor git's history"):
        list(remake([unknown], tree / "other"))
    with pytest.raises(InputError, match=f"begins with weights {legs[0].after}"):
        list(remake(legs[1:], tree / "other"))


def test_a_relay_told_to_end_ends_in_order(tree: Path) -> None:
    """The script itself, by SIGTERM, with the wind-down cut to a second."""
    code = (
        f"import sys; sys.path[:0] = [{str(SCRIPT.parent)!r}]\n"
        "import ingredients, relay\n"
        "from masktrail.train import loop\n"
        f"relay.ROOT = {str(tree)!r}; relay.TUNING = {{'dance-jump'}}; loop.WIND_DOWN = 1.0\n"
        "sys.argv[1:] = ['small', '--minutes', '30']\n"
        "relay.main()\n"
    )
    environment = {**os.environ, "MASKTRAIL_DATA": str(ingredients.DATA)}
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE, text=True
    )
    table = tree / "runs" / "relay" / "small" / "leg-1" / "log.csv"
    end = time.monotonic() + 120
    while not table.is_file() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
    assert os.getpriority(os.PRIO_PROCESS, process.pid) == 19
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    (made,) = read(tree / "docs" / "relay.csv")
    assert made.minutes < 5 and not math.isnan(made.score_after)


def run_git(*arguments: str) -> None:
    author = ["-c", "user.name=painter", "-c", "user.email=painter@example.org"]
    subprocess.run(["git", *author, *arguments], check=True, capture_output=True)
