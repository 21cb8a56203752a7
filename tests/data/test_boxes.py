"""Boxes of batches of masks."""

import torch

from masktrail.data.boxes import tight_boxes


def test_boxes_end_after_the_last_pixel() -> None:
    masks = torch.zeros(3, 20, 30, dtype=torch.bool)
    masks[0, 4:9, 11:13] = masks[1, 0, 0] = masks[1, 19, 29] = True
    expected = [[11, 4, 13, 9], [0, 0, 30, 20], [0, 0, 30, 20]]
    assert tight_boxes(masks).tolist() == expected, "that of an empty mask is the picture's"
