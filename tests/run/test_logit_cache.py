"""What a direction said comes back from the disk as it went."""

import errno
import os

import numpy as np
import pytest

from masktrail.errors import InputError
from masktrail.run.logit_cache import LogitCache
from masktrail.tracking.competition import sigmoid
from masktrail.tracking.soft import Opinion


def said(seed: int, shape: tuple[int, int] = (12, 16)) -> Opinion:
    rng = np.random.default_rng(seed)
    return Opinion(rng.normal(0, 6, shape).astype(np.float32), float(rng.random()))


@pytest.mark.parametrize("frames", [range(3, 9), range(8, 2, -1)])
def test_frames_come_back_in_any_order(tmp_path, frames):
    spool = LogitCache(tmp_path)
    kept = {t: {1: said(t), 65535: said(t + 100)} for t in frames}
    for t in frames:
        spool.write(t, kept[t])
    for t in (5, 3, 8, 5):
        found = spool.read(t)
        assert list(found) == [1, 65535]
        for i, (logits, score, _) in found.items():
            assert np.abs(sigmoid(logits) - sigmoid(kept[t][i].logits)).max() < 0.015
            assert score == pytest.approx(kept[t][i].score, abs=1e-6)
    assert spool.read(2) == spool.read(9) == {}


def test_frames_without_objects_are_kept_too(tmp_path):
    spool = LogitCache(tmp_path)
    spool.write(0, {})
    spool.write(1, {1: said(0)})
    assert spool.read(0) == {} and list(spool.read(1)) == [1]


def test_nothing_is_left_and_no_folder_is_made(tmp_path):
    spool = LogitCache(tmp_path / "not" / "there")
    spool.write(0, {1: said(0)})
    assert list(tmp_path.iterdir()) == []
    spool.close()
    assert list(tmp_path.iterdir()) == [] and LogitCache(tmp_path).read(0) == {}


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    def full(*arguments, **more):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    spool = LogitCache(tmp_path)
    monkeypatch.setattr(spool, "_file", type("Full", (), {"seek": full})())
    with pytest.raises(InputError, match="disk is full"):
        spool.write(0, {1: said(0)})
    monkeypatch.setattr("masktrail.run.logit_cache.TemporaryFile", full)
    with pytest.raises(InputError, match="disk is full"):
        LogitCache(tmp_path)
