"""Follow one object from a box, and do something with its mask in every frame."""

import sys

import masktrail

tracker = masktrail.load("memory-s")
for frame in masktrail.open_video(sys.argv[1]):
    prompts = {1: masktrail.Box(40, 60, 200, 300)} if frame.index == 0 else None
    result = tracker.step(frame.image, prompts)  # result.labels: (H, W), 0 = background
    obj = result.objects[1]
    print(f"{frame.time:7.3f} s  {obj.state:8}  {obj.area:7} pixels  score {obj.score:.2f}")
