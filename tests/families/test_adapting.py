"""A memory network that learns from dreams of the frames that were marked."""

import numpy as np
import pytest
import torch

from clocks import TickingClock
from fake import fill_box, random_network
from masktrail.data.synth import Clips
from masktrail.engines.torch import TorchEngine
from masktrail.families import fitting
from masktrail.families.memory import adapting
from masktrail.families.memory.adapting import adapted
from masktrail.families.memory.network import MemoryNetwork
from masktrail.families.memory.propagator import MemoryPropagator
from masktrail.families.memory.training import unrolled
from masktrail.prompts.kinds import Mask
from masktrail.tracking.family import Traits
from masktrail.tracking.shot import Shot
from masktrail.tracking.tracker import Tracker
from painted_videos import paint_clip

CLIP = paint_clip(8, (96, 64), objects=2)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapting, "WINDOW", 48)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds are steps."""
    monkeypatch.setattr(fitting, "time", TickingClock())


def shot(frame: int = 0) -> Shot:
    labels = CLIP.labels[frame]
    return Shot.of(CLIP.images[frame], {i: (labels == i).astype(np.float32) for i in (1, 2)})


def tracker(seconds: float) -> Tracker:
    propagator = MemoryPropagator(TorchEngine(random_network()), adapt=seconds, capacity=1)
    settings, traits = {"adapt": seconds}, Traits(learns=("adapt",))
    return Tracker(propagator, 64, fill_box, settings=settings, traits=traits)


def prompts(frame: int) -> dict[int, Mask]:
    return {i: Mask(CLIP.labels[frame] == i) for i in (1, 2)}


def test_a_shot_knows_whose_every_pixel_is() -> None:
    labels = CLIP.labels[0]
    assert np.array_equal(shot().labels, labels) and shot().labels.dtype == np.uint16
    half = np.full(labels.shape, 0.5, np.float32)
    assert not Shot.of(CLIP.images[0], {300: half}).labels.any(), "half covered is nobody's"
    assert (Shot.of(CLIP.images[0], {300: half + 0.1}).labels == 300).all()


def test_a_network_learns_what_was_marked(steps) -> None:
    network = random_network()
    before = {name: value.clone() for name, value in network.named_parameters()}
    learned = adapted(random_network(), [shot()], 25, lambda share: None)
    names = {name for name in before if name.startswith(("values.", "decoder."))}
    assert learned.keys() == names - {
        "decoder.carried.transport.scale",
        "decoder.carried.transport.locality",
    }
    for name, values in learned.items():
        assert values.dtype == np.float32 and values.shape == before[name].shape
    assert sum(not np.array_equal(v, before[n].detach()) for n, v in learned.items()) > 30
    losses = [loss_of(network), loss_of(network, learned)]
    assert losses[1] < 0.985 * losses[0]


@torch.no_grad()
def loss_of(network: MemoryNetwork, learned: dict[str, np.ndarray] | None = None) -> float:
    """On frames of the clip itself."""
    values = {name: torch.tensor(array) for name, array in (learned or {}).items()}
    network.load_state_dict(values, strict=False)
    images = torch.tensor(np.stack(CLIP.images[:4])).permute(0, 3, 1, 2)[None] / 255
    labels = torch.tensor(np.stack(CLIP.labels[:4]).astype(np.int32))
    masks = torch.stack([labels == 1, labels == 2], 1)[None].float()
    clips = Clips(images, masks, torch.ones(1, 2, dtype=torch.bool))
    return float(unrolled(network, clips, 1.0).loss)


def test_it_ends_in_time_and_says_how_far_it_is(steps) -> None:
    shares: list[float] = []
    adapted(random_network(), [shot(), shot(4)], 4, shares.append)
    assert shares == [0.25, 0.5, 0.75, 1.0]
    shares.clear()
    adapted(random_network(), [shot(), shot(2), shot(4)], 0.5, shares.append)
    assert len(shares) == 3, "every frame once at least"


def test_what_progress_raises_ends_it(steps) -> None:
    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adapted(random_network(), [shot()], 9, stop)


@pytest.mark.parametrize("pixels", [0, 1])
def test_marks_of_next_to_nothing_do_no_harm(steps, pixels: int) -> None:
    mask = np.zeros(CLIP.labels[0].shape, np.float32)
    mask.flat[:pixels] = 1.0
    learned = adapted(random_network(), [Shot.of(CLIP.images[0], {1: mask})], 2, lambda share: None)
    assert all(np.isfinite(values).all() for values in learned.values())
    assert bool(learned) == bool(pixels), "of nothing nothing is learned"


def test_what_is_no_number_is_not_learned(steps, monkeypatch: pytest.MonkeyPatch) -> None:
    real = adapting.unrolled

    def broken(*given, **named):
        output = real(*given, **named)
        return output._replace(loss=output.loss * float("nan"))

    monkeypatch.setattr(adapting, "unrolled", broken)
    learned = adapted(random_network(), [shot()], 2, lambda share: None)
    before = dict(random_network().named_parameters())
    for name, values in learned.items():
        np.testing.assert_array_equal(values, before[name].detach())


def test_a_tracker_adapts_and_remembers_anew(steps) -> None:
    plain, adapting_ = tracker(0), tracker(3)
    for each in (plain, adapting_):
        each.step(CLIP.images[0], prompts(0))
    (before,), (after,) = (each.propagator.bank.entries for each in (plain, adapting_))
    assert before.origin is None and after.origin is not None
    assert not torch.equal(before.values[1], after.values[1]), "by the encoder that has learned"
    masks = np.stack([after.origin.masks[i] for i in (1, 2)])[None]
    again = adapting_.propagator.engine.run("memorize", after.origin.features, masks)
    torch.testing.assert_close(again[0, :, : after.values[1].shape[1]], after.values[1])
    assert plain.step(CLIP.images[1]).objects.keys() == {1, 2}
    assert adapting_.step(CLIP.images[1]).objects.keys() == {1, 2}


def test_what_is_remembered_of_an_object_is_made_anew_beside_those_forgotten(steps) -> None:
    one = tracker(0)
    one.propagator.seconds = 1.0  # origins are kept, nothing is learned
    one.step(CLIP.images[0], prompts(0))
    before = one.propagator.bank.entries[0].values[1].clone()
    one.remove(2)
    one.propagator.bank.remake(one.propagator._values)
    (entry,) = one.propagator.bank.entries
    assert entry.values.keys() == {1} and torch.equal(entry.values[1], before)


def test_half_of_the_way_is_kept(steps, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(random_network().named_parameters())
    halves = adapted(random_network(), [shot()], 2, lambda share: None)
    monkeypatch.setattr(adapting, "SHARE", 1.0)
    monkeypatch.setattr(fitting, "time", TickingClock())
    whole = adapted(random_network(), [shot()], 2, lambda share: None)
    name = "values.out.weight"
    start = before[name].detach().numpy()
    np.testing.assert_allclose(halves[name] - start, (whole[name] - start) / 2, atol=1e-6)


def test_a_later_prompt_is_learned_from_beside_the_first(steps) -> None:
    one = tracker(2)
    one.step(CLIP.images[0], prompts(0))
    first = dict(one.propagator.lesson()["parameters"])
    one.step(CLIP.images[1])
    one.step(CLIP.images[2], {1: prompts(2)[1]})
    lesson = one.propagator.lesson()
    assert len(lesson["shots"]) == 2 and np.unique(lesson["shots"][1][1]).tolist() == [0, 1]
    assert any(not np.array_equal(lesson["parameters"][name], first[name]) for name in first)


def test_a_state_goes_on_bit_for_bit(steps) -> None:
    one, other = tracker(2), tracker(2)
    one.step(CLIP.images[0], prompts(0))
    one.step(CLIP.images[1])
    other.load_state_dict(one.state_dict())
    for frame in range(2, 6):
        expected, found = one.step(CLIP.images[frame]), other.step(CLIP.images[frame])
        assert np.array_equal(found.labels, expected.labels)
        for i, logits in one.logits.items():
            assert np.array_equal(other.logits[i], logits)
    fresh = tracker(2)
    fresh.load_state_dict(tracker(2).state_dict())
    other.load_state_dict(fresh.state_dict())
    assert not other.propagator.lesson()["parameters"], "and forgets what it learned"
