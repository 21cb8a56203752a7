"""What a memory of frames keeps, drops and gives back."""

import torch

from masktrail.families.memory.bank import Entry, MemoryBank

PIXELS, LIFTED, VALUE = 6, 5, 3
QUERY = torch.randn(LIFTED, 4, generator=torch.Generator().manual_seed(1))


def entry(values: dict[int, float], permanent: bool = False, seed: int = 0) -> Entry:
    """An entry whose objects have the same value everywhere."""
    keys = torch.randn(PIXELS, LIFTED, generator=torch.Generator().manual_seed(seed))
    filled = {i: torch.full((PIXELS, VALUE), value) for i, value in values.items()}
    return Entry(keys, filled, permanent)


def bank_of(*entries: Entry, capacity: int = 3) -> MemoryBank:
    bank = MemoryBank(capacity, top_k=4)
    for e in entries:
        bank.add(e)
    return bank


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
    out = bank.read(QUERY, [1, 2])
    assert out.shape == (4, 2, VALUE)
    torch.testing.assert_close(out[:, 1], torch.full((4, VALUE), 5.0))
    assert ((out[:, 0] >= 1) & (out[:, 0] <= 3)).all() and out[:, 0].std() > 0


def test_reading_together_is_reading_alone():
    bank = bank_of(
        entry({3: 1.0, 1: 4.0}), entry({1: 2.0, 2: 5.0}, seed=1), entry({3: 7.0, 1: 0.5}, seed=2)
    )
    together = bank.read(QUERY, [3, 1, 2])
    for slot, object_id in enumerate([3, 1, 2]):
        torch.testing.assert_close(together[:, slot], bank.read(QUERY, [object_id])[:, 0])


def test_a_frame_added_after_reading_is_read_too():
    bank = bank_of(entry({1: 1.0}))
    torch.testing.assert_close(bank.read(QUERY, [1]), torch.ones(4, 1, VALUE))
    bank.add(entry({1: 2.0}, seed=1))
    assert bank.read(QUERY, [1]).max() > 1


def test_forgetting_drops_values_and_frames_that_held_nothing_else():
    bank = bank_of(
        entry({1: 1.0}, permanent=True), entry({1: 2.0, 2: 5.0}, seed=1), entry({2: 6.0}, seed=2)
    )
    bank.read(QUERY, [1, 2])
    bank.forget(1)
    assert [set(e.values) for e in bank.entries] == [{2}, {2}]
    assert bank.read(QUERY, [2]).min() >= 5


def test_forgetting_does_not_reach_into_a_saved_state():
    bank = bank_of(entry({1: 1.0, 2: 5.0}, permanent=True), entry({1: 2.0}, seed=1))
    state = bank.state_dict()
    bank.forget(1)
    again = bank_of()
    again.load_state_dict(state, torch.device("cpu"))
    assert [(set(e.values), e.permanent) for e in again.entries] == [({1, 2}, True), ({1}, False)]
