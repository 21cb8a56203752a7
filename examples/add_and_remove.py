"""Objects may come at any frame and leave at any frame; their ids are yours and stay the same."""

import sys

import masktrail

tracker = masktrail.load("memory-s")
for frame in masktrail.open_video(sys.argv[1]):
    prompts = {}
    if frame.index == 0:
        prompts[1] = masktrail.Box(40, 60, 200, 300)
    if frame.index == 20:
        prompts[7] = masktrail.Box(300, 80, 420, 260)
    if frame.index == 60:
        tracker.remove(1)
    result = tracker.step(frame.image, prompts)
    print(frame.index, {i: obj.state for i, obj in result.objects.items()})
