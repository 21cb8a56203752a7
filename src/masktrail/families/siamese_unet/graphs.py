"""The function of the Siamese U-Net as a file for any engine holds it: as that of the U-Net."""

from functools import partial

from masktrail.families.unet.graphs import graphs as between_frames

graphs = partial(between_frames, stride=32)
