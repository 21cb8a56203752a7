"""Arrays that are written to again: never while somebody holds the last one."""

import gc

import numpy as np

from masktrail.engines.buffers import SPARE, Buffers


def test_memory_is_used_again_once_nobody_holds_it() -> None:
    buffers = Buffers((3, 4), np.float32)
    places = set()
    for _ in range(10):
        array = buffers.take()
        assert array.shape == (3, 4) and array.dtype == np.float32
        places.add(array.ctypes.data)
        del array
    assert len(places) == 1


def test_what_is_held_stays_as_it_is() -> None:
    """Also where no more than a view of it is held, or the view of a view."""
    buffers = Buffers((6, 5), np.float32)
    held = []
    for i in range(4 * SPARE):
        array = buffers.take()
        array[:] = i
        held.append([array, array[1:], array.transpose()[2:, 1:][:, ::2]][i % 3])
        del array
    for _ in range(20):
        buffers.take()[:] = -1
    assert all((kept == i).all() for i, kept in enumerate(held))


def test_no_more_is_kept_than_was_held_at_once() -> None:
    buffers = Buffers((1000,), np.float32)
    held = [buffers.take() for _ in range(10)]
    del held
    gc.collect()
    assert len(buffers._kept) == SPARE
    places = {buffers.take().ctypes.data for _ in range(10)}
    assert len(places) == 1
    one = buffers.take()
    buffers.clear()
    assert len(buffers._kept) == 1 and one.shape == (1000,)
