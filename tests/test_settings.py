"""Settings of propagators: what there is to be told, values as text, and what is refused."""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest

from fake import TRACKING
from masktrail.cli.options import read_assignments
from masktrail.errors import InputError
from masktrail.families import family as family_of
from masktrail.settings import (
    Range,
    Setting,
    arguments_of,
    checked,
    format_settings,
    text_of,
)
from masktrail.zoo import CARDS, load, own_settings, settings_of, trackers


class Told:
    """A propagator of every kind of setting."""

    def __init__(
        self,
        network: object,
        view: Literal["near", "far", "all"] = "near",
        count: Annotated[int, Range(1)] = 3,
        share: Annotated[float, Range(0, 1)] = 0.5,
        side: Annotated[int, Range(16, 4096, 16)] = 64,
        twice: bool = False,
    ) -> None: ...


KNOWN = arguments_of(Told)
USUAL = {"view": "near", "count": 3, "share": 0.5, "side": 64, "twice": False}


def test_arguments_with_defaults_are_settings() -> None:
    assert arguments_of(Told) == [
        Setting("view", str, "near", choices=("near", "far", "all")),
        Setting("count", int, 3, range=Range(1)),
        Setting("share", float, 0.5, range=Range(0, 1)),
        Setting("side", int, 64, range=Range(16, 4096, 16)),
        Setting("twice", bool, False, choices=("true", "false")),
    ]


def test_what_is_not_given_stays() -> None:
    assert checked(KNOWN, {}, "some") == USUAL
    assert checked(KNOWN, {"count": 4}, "some") == {**USUAL, "count": 4}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("view=far", "far"),
        ("count=1", 1),
        ("count=100000", 100_000),
        ("share=0.25", 0.25),
        ("share=1", 1.0),
        ("share=5e-2", 0.05),
        ("side=4096", 4096),
        ("twice=true", True),
        ("twice=False", False),
    ],
)
def test_text_says_the_same_as_the_value(text: str, value: object) -> None:
    given = read_assignments([text])
    (name,) = given
    found = checked(KNOWN, given, "some")
    assert found == checked(KNOWN, {name: value}, "some") == {**USUAL, name: value}
    assert type(found[name]) is type(value)


def test_told_settings_read_back() -> None:
    settings = {"view": "all", "count": 7, "share": 0.1, "side": 80, "twice": True}
    assert format_settings(settings) == "view=all count=7 share=0.1 side=80 twice=true"
    assert checked(KNOWN, read_assignments(format_settings(settings).split()), "some") == settings
    assert format_settings({}) == ""


WHOLE, SHARE, TRUTH = "a whole number, 1 or more", "a number, 0 to 1", "true or false"
STEP = "a multiple of 16, 16 to 4096"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("view", "round", "near, far or all"),
        ("view", 3, "near, far or all"),
        *(("count", value, WHOLE) for value in ("0", "-1", "1.5", "", "many", 2.0, True, None)),
        *(("share", value, SHARE) for value in ("1.01", "nan", "inf", "-0.1", [0.5], True)),
        *(("count", value, WHOLE) for value in ("1_000", " 1", "1 ", "٣", "9" * 400, "1\n")),
        *(("side", value, STEP) for value in (8, 100, "104", 4112)),
        *(("twice", value, TRUTH) for value in ("yes", 1, "", None)),
    ],
)
def test_other_values_are_refused_with_those_expected(
    name: str, value: object, expected: str
) -> None:
    with pytest.raises(InputError) as refused:
        checked(KNOWN, {name: value}, "some")
    sentence = f"{name} = {value!r} is not possible for the model some; expected {expected}."
    assert str(refused.value) == sentence


def test_a_wrong_name_is_refused_with_the_right_ones() -> None:
    with pytest.raises(InputError, match="some has no setting 'vieuw'; it has view, count, share,"):
        checked(KNOWN, {"vieuw": "far"}, "some")
    with pytest.raises(InputError, match="some has no setting 'size'; it has none"):
        checked([], {"size": "far"}, "some")


@pytest.mark.parametrize("text", ["view", "=far", "view=", "=", ""])
def test_what_is_no_assignment_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"is no NAME=VALUE, as view=square"):
        read_assignments([text])


def test_a_name_comes_once() -> None:
    with pytest.raises(InputError, match="gives view twice, far and near"):
        read_assignments(["view=far", "count=1", "view=near"])
    assert read_assignments(["view=a=b"]) == {"view": "a=b"}


@pytest.mark.parametrize("family", TRACKING)
def test_the_defaults_of_a_family_are_possible(family: str) -> None:
    settings = arguments_of(family_of(family).propagator())
    for setting in settings:
        assert setting.read(setting.default) == setting.default
        assert setting.kind in (bool, int, float) or setting.choices
    assert all(s.range.least > float("-inf") for s in settings if s.kind in (int, float))


def test_the_page_in_the_docs_tells_them_all() -> None:
    page = (Path(__file__).parents[1] / "docs" / "settings.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    documented = {
        (family, name.strip("`"), default, expected)
        for families, name, default, expected, _ in rows
        for family in families.replace("`", "").split(", ")
    }
    assert documented == {
        (card.family, setting.name, text_of(setting.default), setting.expected)
        for model, card in CARDS.items()
        if model in trackers()
        for setting in settings_of(model)
    }


def test_one_setting_has_one_name_however_it_is_given() -> None:
    ways = (
        {"side": "0160", "mirror": "FALSE", "margin": "2"},
        {"mirror": False, "side": 160, "view": "object"},
        {"margin": 2, "side": np.int64(160), "mirror": "false"},
    )
    for given in ways:
        assert format_settings(own_settings("unet", given)) == "side=160 mirror=false"
    assert own_settings("unet", {"margin": "2.0", "batch": "4"}) == own_settings("unet", {}) == {}


@pytest.mark.parametrize("model", trackers())
def test_no_setting_is_called_as_an_option_is(model: str) -> None:
    options = {"size", "device", "precision", "edges", "model", "prompt"}
    assert not options & {setting.name for setting in settings_of(model)}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"view": "round"}, "view = 'round' is not possible .* frame, square or object"),
        ({"side": 100}, "side = 100 .*expected a multiple of 16, 16 to 4096"),
        ({"side": "0"}, "side = '0' is not possible for the model unet"),
        ({"margin": 0.5}, "margin = 0.5 .*expected a number, 1 or more"),
        ({"batch": 0}, "batch = 0 .*expected a whole number, 1 or more"),
        ({"capacity": 2}, "unet has no setting 'capacity'; it has view, side, margin, smallest"),
    ],
)
def test_models_refuse_what_they_cannot_be_told(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        load("unet", "cpu", settings=settings)
    with pytest.raises(InputError, match="'prompt' makes masks of boxes and clicks"):
        load("prompt", "cpu", settings=settings)
