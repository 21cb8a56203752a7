"""What shipped weights were trained on, and what that means for their use, in words for cards."""

PHOTOGRAPHS_AND_VIDEOS = (
    "4,280 photographs with masks (ECSSD, PASCAL-S, DUTS, CCP, HumanSeg, Penn-Fudan, COCO, feral "
    "cats), DAVIS-2016 train, 27 short clips (SBI2015, UCSD, CDnet-2014, one of YouTube-VOS, one "
    "of DAVIS-2017); encoder from ImageNet"
)
PHOTOGRAPHS = "4,280 photographs with masks, those of memory-s"
WITHOUT_TUNING = (
    "4,280 photographs with masks and 27 short clips, those of memory-s; 27 of DAVIS-2016's 30 "
    "training sequences"
)
RESEARCH = (
    "Apache-2.0 as far as it is ours; much of the data is for research or non-commercial use only "
    "(DAVIS copy CC BY-NC 4.0, YouTube-VOS, the photograph sets)"
)
