"""Masks of the shipped models are what they were; a fault in their making is seen."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from golden import stored
from golden.cases import CASES, Case
from golden.renewal import renew
from golden.stored import Stored
from golden.traces import Trace, differences, follow
from masktrail.families.memory.bank import MemoryBank
from masktrail.families.memory.propagator import MemoryPropagator
from masktrail.geometry import Stretch

SUBJECTS = list(dict.fromkeys(case.subject for case in CASES))
BEGINNING = next(case for case in CASES if case.name == "demo mask float")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_rows_are_of_the_shipped_weights(subject: str) -> None:
    held = stored.read(stored.path_of(subject))
    assert held.weights == stored.weights_of(subject), "the weights are new: run `make golden`"
    assert list(held.traces) == [case.name for case in stored.cases_of(subject)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.subject} {case.name}")
def test_masks_are_what_they_were(case: Case) -> None:
    if case.model == "flow":  # OpenCV is an extra
        pytest.importorskip("cv2")
    before = stored.read(stored.path_of(case.subject)).traces[case.name]
    moved = differences(before, follow(case))
    assert not moved, (
        f"{len(moved)} differences, as {moved[0]}; `make golden` stores new values where the "
        "change is meant"
    )


def swapped(image_in):
    """Red for blue."""
    return lambda self, image: image_in(self, image)[..., ::-1]


def half_a_pixel_off(logits_out):
    """The corners of both sizes at one place, instead of their edges."""

    def fault(self, logits, box=None):
        x0, y0, x1, y1 = box or (0, 0, self.width, self.height)
        size, given = (self.height, self.width), torch.from_numpy(logits.copy())[None, None]
        whole = F.interpolate(given, size, mode="bilinear", align_corners=True)
        return whole[0, 0, y0:y1, x0:x1].numpy()

    return fault


def forgetful(add):
    """Nothing is remembered but the prompted frame."""
    return lambda self, entry: add(self, entry) if entry.permanent else None


def narrow(read):
    """Each pixel reads from one other."""

    def fault(self, query, group):
        self.top_k = 1
        return read(self, query, group)

    return fault


FAULTS = [
    (Stretch, "image_in", swapped),
    (Stretch, "logits_out", half_a_pixel_off),
    (MemoryBank, "add", forgetful),
    (MemoryPropagator, "_read", narrow),
]


@pytest.mark.parametrize(("of", "name", "fault"), FAULTS, ids=[f[2].__name__ for f in FAULTS])
def test_a_fault_in_the_making_of_masks_is_seen(of, name, fault, monkeypatch) -> None:
    case = replace(BEGINNING, frames=20)
    whole = stored.read(stored.path_of(case.subject)).traces[case.name]
    before = Trace(whole.similarities[:20], whole.areas[:20])
    monkeypatch.setattr(of, name, fault(getattr(of, name)))
    assert len(differences(before, follow(case))) > 5


def painted(j: float, area: int = 1000, frames: int = 2) -> Trace:
    """A trace whose last frame is of the given J and area."""
    return Trace([1.0] * (frames - 1) + [j], [1000] * (frames - 1) + [area])


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (painted(0.9), painted(0.91, 1020), []),
        (painted(0.9), painted(0.89, 980), []),
        (painted(0.9), painted(0.9, 979), ["frame 1: the area was 1000 pixels and is 979"]),
        (painted(0.9, 0), painted(0.9, 1), ["frame 1: the area was 0 pixels and is 1"]),
        (
            painted(0.9),
            painted(0.911),
            ["frame 1: J was 0.9000 and is 0.9110", "mean J was 0.9000 and is 0.9110"],
        ),
        (painted(0.9, frames=10), painted(0.82, 0, frames=10), []),
        (painted(0.9, frames=10), painted(0.6, frames=10), ["mean J was 0.9889 and is 0.9556"]),
        (
            painted(0.9, frames=9),
            painted(0.83, frames=9),
            ["frame 8: J was 0.9000 and is 0.8300"],
        ),
    ],
)
def test_what_moves_by_a_hundredth_or_in_one_frame_of_ten_is_the_same(before, now, said) -> None:
    assert differences(before, now) == said


@pytest.fixture
def file(tmp_path):
    """Rows of `copy`, J 0.5, as `make golden` wrote them."""
    path = tmp_path / "copy-torch.json"
    stored.write(path, Stored({"copy": None}, {"demo mask float": painted(0.5)}))
    return path


def test_golden_values_come_back_as_they_were_written(file) -> None:
    assert stored.read(file) == Stored({"copy": None}, {"demo mask float": painted(0.5)})


@pytest.mark.parametrize(
    ("now", "code", "kept", "said"),
    [
        (0.7, 0, 0.7, "J 0.5000 -> 0.7000, by up to 0.2000 in a frame"),
        (0.485, 0, 0.485, "copy-torch.json is written"),
        (0.505, 0, 0.5, "copy-torch.json stays as it is"),
        (0.47, 1, 0.5, "copy-torch.json is not written: J fell by 0.02 or more"),
    ],
)
def test_new_values_are_stored_unless_they_are_worse(file, now, code, kept, said, capsys) -> None:
    assert renew(file, "copy-torch", lambda case: painted(now)) == code
    assert stored.read(file).traces["demo mask float"] == painted(kept)
    assert said in capsys.readouterr().out


def test_new_weights_are_stored_with_values_that_hardly_moved(file) -> None:
    stored.write(file, Stored({"copy": "older"}, {"demo mask float": painted(0.5)}))
    assert renew(file, "copy-torch", lambda case: painted(0.501)) == 0
    assert stored.read(file) == Stored({"copy": None}, {"demo mask float": painted(0.501)})
