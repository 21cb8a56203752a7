"""16-bit soft masks."""

import numpy as np
import pytest
from PIL import Image

from masktrail.errors import InputError
from painted_results import pairs_of, results_of, soft_clip, write


def read(path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.mode == "I;16"
        return np.asarray(picture).astype(np.float64) / 65535


def test_probabilities_come_back(tmp_path):
    rng = np.random.default_rng(0)
    masks = {i: rng.random((63, 95), np.float32) for i in (1, 300)}
    masks[1][0, :2] = 0, 1
    results = results_of([np.zeros((63, 95), np.uint16)], soft=masks)
    write("soft", tmp_path, pairs_of(results, first=4))
    for object_id, mask in masks.items():
        back = read(tmp_path / f"soft/{object_id}/00004.png")
        np.testing.assert_allclose(back, mask, atol=0.5001 / 65535)
    assert read(tmp_path / "soft/1/00004.png")[0, :2].tolist() == [0, 1]


def test_a_folder_per_object_and_a_picture_per_frame(tmp_path, clip):
    write("soft", tmp_path, pairs_of(soft_clip(clip)))
    assert sorted(p.name for p in (tmp_path / "soft").iterdir()) == ["1", "2"]
    for folder in (tmp_path / "soft").iterdir():
        assert sorted(p.name for p in folder.iterdir()) == [f"{i:05d}.png" for i in range(12)]


def test_without_soft_masks_a_sentence_says_what_to_do(tmp_path, clip):
    with pytest.raises(InputError, match="track again with soft among the exports"):
        write("soft", tmp_path, pairs_of(results_of(clip.labels)))
