"""What a memory of frames keeps, drops and gives back."""

import numpy as np

from masktrail.engines.torch import TorchEngine
from masktrail.families.memory.bank import Entry, MemoryBank
from masktrail.families.memory.config import MemoryConfig
from masktrail.families.memory.network import MemoryNetwork

PIXELS, LIFTED, VALUE = 6, 5, 3
QUERY = np.random.default_rng(1).normal(size=(1, LIFTED, 4)).astype(np.float32)
ENGINE = TorchEngine(MemoryNetwork(MemoryConfig(key=2, value=VALUE, hidden=4)))
"""What is joined and read has nothing to do with its weights."""


def entry(values: dict[int, float], permanent: bool = False, seed: int = 0) -> Entry:
    """An entry whose objects have the same value everywhere."""
    keys = np.random.default_rng(seed).normal(size=(1, PIXELS, LIFTED)).astype(np.float32)
    filled = {i: np.full((PIXELS, VALUE), value, np.float32) for i, value in values.items()}
    kept = {i: ENGINE.keep(value) for i, value in filled.items()}
    return Entry(ENGINE.keep(keys), kept, permanent)


def bank_of(*entries: Entry, capacity: int = 3) -> MemoryBank:
    bank = MemoryBank(ENGINE, capacity)
    for e in entries:
        bank.add(e)
    return bank


def read(bank: MemoryBank, *ids: int) -> np.ndarray:
    """Values (4, N, VALUE) of objects for every query pixel."""
    groups = bank.groups(list(ids))
    order = [i for group in groups for i in group]
    readouts = []
    for group in groups:
        compared = ENGINE.run("compare", QUERY, bank.keys())
        readouts.append(ENGINE.attend(bank.similarity(compared, group), bank.values(group), 4))
    found = ENGINE.array(ENGINE.join(readouts, 2))
    return found.reshape(4, len(ids), VALUE)[:, [order.index(i) for i in ids]]


def kept(bank: MemoryBank) -> list[float]:
    return [float(e.values[1][0, 0]) for e in bank.entries]


def test_the_oldest_passing_frame_goes_first_and_permanent_ones_stay():
    entries = [entry({1: float(n)}, permanent=n in (0, 4)) for n in range(10)]
    assert kept(bank_of(*entries)) == [0, 4, 7, 8, 9]


def test_without_capacity_only_permanent_frames_are_kept():
    entries = [entry({1: float(n)}, permanent=n == 0) for n in range(4)]
    assert kept(bank_of(*entries, capacity=0)) == [0]


def test_objects_read_only_from_frames_they_were_seen_in():
    bank = bank_of(entry({1: 1.0}), entry({1: 2.0, 2: 5.0}, seed=1), entry({1: 3.0}, seed=2))
    out = read(bank, 1, 2)
    assert out.shape == (4, 2, VALUE)
    np.testing.assert_allclose(out[:, 1], 5.0, rtol=1e-5)
    assert ((out[:, 0] >= 1) & (out[:, 0] <= 3)).all() and out[:, 0].std() > 0


def test_reading_together_is_reading_alone():
    bank = bank_of(
        entry({3: 1.0, 1: 4.0}), entry({1: 2.0, 2: 5.0}, seed=1), entry({3: 7.0, 1: 0.5}, seed=2)
    )
    together = read(bank, 3, 1, 2)
    for slot, object_id in enumerate([3, 1, 2]):
        np.testing.assert_allclose(together[:, slot], read(bank, object_id)[:, 0], rtol=1e-5)


def test_a_frame_added_after_reading_is_read_too():
    bank = bank_of(entry({1: 1.0}))
    np.testing.assert_allclose(read(bank, 1), 1.0, rtol=1e-5)
    bank.add(entry({1: 2.0}, seed=1))
    assert read(bank, 1).max() > 1


def test_forgetting_drops_values_and_frames_that_held_nothing_else():
    bank = bank_of(
        entry({1: 1.0}, permanent=True), entry({1: 2.0, 2: 5.0}, seed=1), entry({2: 6.0}, seed=2)
    )
    read(bank, 1, 2)
    bank.forget(1)
    assert [set(e.values) for e in bank.entries] == [{2}, {2}]
    assert read(bank, 2).min() >= 5


def test_forgetting_does_not_reach_into_a_saved_state():
    bank = bank_of(entry({1: 1.0, 2: 5.0}, permanent=True), entry({1: 2.0}, seed=1))
    state = bank.state_dict()
    bank.forget(1)
    again = bank_of()
    again.load_state_dict(state)
    assert [(set(e.values), e.permanent) for e in again.entries] == [({1, 2}, True), ({1}, False)]
