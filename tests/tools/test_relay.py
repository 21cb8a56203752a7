"""Legs of a relay: each goes on from the last, whatever ended it, and is written down."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import ingredients
import relay
from masktrail.errors import InputError
from masktrail.train.reading import read_recipe
from masktrail.train.trainer import Trainer
from masktrail.zoo import Card
from masktrail.zoo.fetch import sha256
from masktrail.zoo.headers import read_config
from masktrail.zoo.weights import load_network, publish
from relay_log import Leg, chain, read_log

MINUTES = 0.2
"""Four steps of a `TickingClock`."""

RUNS = Path("runs/relay/small")
LOG = Path("docs/relay.csv")


def run_leg() -> Leg:
    return relay.run_leg("small", MINUTES, lambda: False)


def rounded(leg: Leg) -> Leg:
    """As it stands in the log."""
    assert leg.score_after is not None
    before = None if leg.score_before is None else round(leg.score_before, 3)
    minutes, after = round(leg.minutes, 1), round(leg.score_after, 3)
    return replace(leg, score_before=before, score_after=after, minutes=minutes)


def folders() -> list[str]:
    return sorted(path.name for path in RUNS.iterdir() if path.is_dir())


@pytest.mark.usefixtures("tree")
def test_a_leg_packs_what_is_missing_trains_and_is_written_down() -> None:
    made = run_leg()
    assert read_log(LOG) == [rounded(made)]
    assert (made.model, made.recipe) == ("small", "recipes/relay/small.toml")
    assert made.recipe_sha256 == sha256(Path(made.recipe))
    assert (made.before, made.after) == ("", sha256(RUNS / "leg-1" / "weights.safetensors"))
    assert made.score_before is None and 0 <= (made.score_after or 0) <= 1
    assert made.clips == made.clips_so_far == 2 * made.steps
    assert (made.steps, made.minutes) == (4, MINUTES)
    packs = {path.name for path in Path("packs").iterdir() if not path.name.startswith(".")}
    assert packs == {"stills", "davis2016-train"}
    assert not (RUNS / "leg-1" / "checkpoint.pt").exists(), "hundreds of MB that have no use"


@pytest.mark.usefixtures("tree")
def test_the_next_leg_goes_on_from_the_last_with_other_clips() -> None:
    first, second = run_leg(), run_leg()
    assert second.before == first.after != second.after
    assert second.score_before == pytest.approx(first.score_after)
    assert second.clips_so_far == first.clips + second.clips
    assert (first.seed, second.seed) == (7, 8)
    assert chain(read_log(LOG), second.after) == [rounded(first), rounded(second)]
    assert folders() == ["leg-1", "leg-2"], "nothing is deleted"


@pytest.mark.usefixtures("tree")
def test_a_short_leg_goes_on_at_lower_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """0.2 of 60 minutes; one that starts anew has nothing to lose."""
    legs = [run_leg(), run_leg()]
    monkeypatch.setattr(relay, "LONG", MINUTES)
    legs.append(run_leg())
    assert [leg.rate for leg in legs] == [leg.rate for leg in read_log(LOG)] == [1, 0.003, 1]
    recipes = [json.loads((RUNS / f"leg-{n}" / "recipe.json").read_text()) for n in (1, 2, 3)]
    for name in ("lr", "encoder_lr"):
        assert recipes[1][name] == pytest.approx(0.003 * recipes[0][name])
        assert recipes[2][name] == recipes[0][name]


@pytest.mark.usefixtures("tree")
def test_a_leg_that_was_cut_off_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    learn = Trainer.learn

    def killed(trainer: Trainer, *how: Any) -> Any:
        if trainer.step == 2:
            raise SystemExit("killed")
        return learn(trainer, *how)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "learn", killed)
        with pytest.raises(SystemExit, match="killed"):
            run_leg()
    assert read_log(LOG) == []
    made = run_leg()
    assert (made.steps, made.minutes) == (5, pytest.approx(0.25)), "one step was saved, four more"
    assert read_log(LOG) == [rounded(made)]
    assert folders() == ["leg-1"]


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("lost", ["tuning_score", "append"])
def test_a_leg_killed_after_training_is_scored_and_written_down(
    monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    def killed(*how: Any) -> Any:
        raise SystemExit("killed")

    with monkeypatch.context() as patch:
        patch.setattr(relay, lost, killed)
        with pytest.raises(SystemExit, match="killed"):
            run_leg()
    trained = sha256(RUNS / "leg-1" / "weights.safetensors")
    second = run_leg()
    first, *more = read_log(LOG)
    assert (first.after, first.steps) == (trained, 4)
    if lost == "tuning_score":
        assert rounded(second) == first and not more, "that was all that was left to do"
    else:
        assert more == [rounded(second)] and second.before == trained


@pytest.mark.usefixtures("tree")
def test_a_line_that_is_lost_is_written_again() -> None:
    first = run_leg()
    LOG.unlink()  # as when another branch is checked out
    second = run_leg()
    assert read_log(LOG) == [rounded(first), rounded(second)]
    assert sha256(RUNS / "leg-1" / "weights.safetensors") == first.after


@pytest.mark.usefixtures("tree")
def test_a_leg_cut_off_under_another_recipe_stays_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(relay, "read_clock", lambda folder: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_leg()
    before = sha256(RUNS / "leg-1" / "weights.safetensors")
    recipe = Path("recipes/relay/small.toml")
    recipe.write_text(recipe.read_text().replace("batch = 2", "batch = 3"))
    made = run_leg()
    assert folders() == ["leg-1", "leg-2"] and made.clips == 3 * made.steps
    assert sha256(RUNS / "leg-1" / "weights.safetensors") == before


def test_published_weights_are_taken_up_where_the_legs_are_gone(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_leg()
    trained = RUNS / "leg-1" / "weights.safetensors"
    network, _ = load_network(trained)
    shipped = tree / "weights"
    shipped.mkdir()
    files = publish(network, *read_config(trained), shipped, "small", origin=sha256(trained))
    card = Card("", 64, files, family="siamese-unet")
    monkeypatch.setattr(relay, "CARDS", {"small": card})
    monkeypatch.setattr("masktrail.zoo.CARDS", {"small": card})
    monkeypatch.setenv("MASKTRAIL_WEIGHTS", str(shipped))
    Path("runs").rename("elsewhere")
    assert relay.newest("small", RUNS, [first]) == (shipped / next(iter(files)), first.after)
    second = run_leg()
    assert second.before == first.after and second.clips_so_far > first.clips
    newest = relay.newest("small", RUNS, [first, second])
    assert newest == (RUNS / "leg-2" / "weights.safetensors", second.after)
    next(iter(shipped.iterdir())).unlink()
    assert relay.newest("small", RUNS, [first, second]) == newest, "the published are not needed"


@pytest.mark.usefixtures("tree")
def test_a_leg_that_cannot_come_to_anything_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="No time is left to train"):
        relay.run_leg("small", 0, lambda: False)
    with pytest.raises(InputError, match="Told to end before training"):
        relay.run_leg("small", 5, lambda: True)
    with pytest.raises(InputError, match=r"recipes/relay/smal\.toml cannot be read"):
        relay.run_leg("smal", 5, lambda: False)
    monkeypatch.setattr(relay, "TUNING", {"dance-jump", "drift-turn"})
    with pytest.raises(InputError, match="no sequence drift-turn"):
        relay.run_leg("small", 5, lambda: False)
    assert not LOG.exists() and folders() == []


@pytest.mark.usefixtures("tree")
def test_packing_and_the_reserve_are_taken_off_the_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay, "RESERVE", 6)
    assert relay.run_leg("small", 0.2, lambda: False).minutes == pytest.approx(0.1)


@pytest.mark.usefixtures("tree")
def test_two_relays_of_a_model_do_not_run_at_once() -> None:
    second = pytest.raises(InputError, match="Another relay trains small")
    with relay.locked(RUNS / "lock"), second:
        run_leg()
    run_leg()


@pytest.mark.usefixtures("tree")
def test_packs_and_starts_that_nothing_makes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = read_recipe(Path("recipes/relay/small.toml"))
    with pytest.raises(InputError, match="no pack packs/mine; known are packs/stills"):
        ingredients.make_missing(replace(recipe, stills="packs/mine"))
    with pytest.raises(InputError, match="no packs/start to start from"):
        ingredients.make_missing(replace(recipe, init="packs/start"))
    monkeypatch.setattr(ingredients, "STARTS", {"packs/start": lambda path: path.touch()})
    ingredients.make_missing(replace(recipe, init="packs/start"))
    assert Path("packs/start").is_file()


@contextmanager
def script(tree: Path) -> Iterator[subprocess.Popen[str]]:
    """The script itself on the painted data, with a wind-down of a second."""
    code = (
        f"import sys; sys.path[:0] = [{str(Path(relay.__file__).parent)!r}]\n"
        "import relay\n"
        "from masktrail.train import loop\n"
        f"relay.ROOT = {str(tree)!r}; relay.TUNING = {{'dance-jump'}}\n"
        "relay.PACE = loop.Pace(wind_down=1.0)\n"
        "sys.argv[1:] = ['small', '--minutes', '30']\n"
        "relay.main()\n"
    )
    environment = {**os.environ, "MASKTRAIL_DATA": str(ingredients.DATA)}
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_to_end_are_heard(number: signal.Signals) -> None:
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        must_end = relay._listen()
        assert not must_end()
        signal.raise_signal(number)
        assert must_end()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def test_a_relay_told_to_end_ends_in_order(tree: Path) -> None:
    with script(tree) as process:
        while not (RUNS / "leg-1" / "log.csv").is_file():
            if process.poll() is not None:
                pytest.fail(process.communicate()[1])
            time.sleep(0.1)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 19
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=200)
        assert process.returncode == 0, said
    (made,) = read_log(LOG)
    assert made.after == sha256(RUNS / "leg-1" / "weights.safetensors")
    assert made.minutes < 10, "of the 28 that it had"
    assert not list(tree.rglob("*.part"))
