"""What cannot be meant: every line that ends in a comment is an error, and no other."""

import numpy as np

import masktrail

image = np.zeros((48, 64, 3), np.uint8)
tracker = masktrail.load("memory-s")

masktrail.Trakcer  # wrong
masktrail.load(engine="openvno")  # wrong
masktrail.load(precision="half")  # wrong
masktrail.load(size="large")  # wrong
tracker.step(image, masktrail.Box(1, 2, 3, 4))  # wrong
tracker.step(image, {"a": masktrail.Box(1, 2, 3, 4)})  # wrong
tracker.step(image, {1: "1,2,3,4"})  # wrong
tracker.step({1: masktrail.Box(1, 2, 3, 4)}, image)  # wrong
tracker.step(image, color="bgr")  # wrong
tracker.step(image, colour="hsv")  # wrong
tracker.stepp(image)  # wrong
masktrail.Box(1, 2, 3)  # wrong
masktrail.Points("1,2")  # wrong
masktrail.propagate("in.mp4", {1: (1, 2, 3, 4)}, direction="up")  # wrong
masktrail.propagate({"a": image}, {1: (1, 2, 3, 4)})  # wrong
masktrail.track("in.mp4", {1: (1, 2, 3, 4)})  # wrong
masktrail.track("in.mp4", {1: (1, 2, 3, 4)}, "out", edges="sharp")  # wrong
masktrail.track("in.mp4", {1: (1, 2, 3, 4)}, "out", overwrit=True)  # wrong
masktrail.track("in.mp4", {1: (1, 2, 3, 4)}, "out", export=5)  # wrong
masktrail.open_video(1.5)  # wrong

result = tracker.step(image)
result.soft()  # wrong
result.mask("1")  # wrong
result.objects[1].box[0]  # wrong
