"""Track an object live: a camera, an RTSP address, a pipe, or a recording played at its own speed.

    python examples/live.py 0 --box 200,120,440,360
    python examples/live.py rtsp://192.168.1.20/stream --box 200,120,440,360
    ffmpeg -f v4l2 -i /dev/video0 -f matroska - | python examples/live.py - --box 200,120,440,360
    python examples/live.py recording.mp4 --box 200,120,440,360

The newest frame wins: those that come while the tracker is busy are dropped, never queued, so that
what is printed stays as fresh as the machine allows. Latency is from a frame's arrival to its mask.
"""

import argparse
import time

import masktrail


def main() -> None:
    """Parses the arguments and prints a line per frame until the source ends or Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", help="camera number, URL, - for a pipe, or a file")
    parser.add_argument("--box", required=True, help="x0,y0,x1,y1 of the object in the first frame")
    parser.add_argument("--model", default="memory-s")
    parser.add_argument("--size", type=int, default=240, help="short side to work at, pixels")
    arguments = parser.parse_args()
    box = masktrail.Box(*map(float, arguments.box.split(",")))
    tracker = masktrail.load(arguments.model, size=arguments.size)
    last = None
    for frame in masktrail.open_video(arguments.source, live=True):
        result = tracker.step(frame.image, {1: box} if last is None else None)
        latency = time.monotonic() - frame.arrived
        dropped = 0 if last is None else frame.index - last - 1
        last = frame.index
        obj = result.objects[1]
        print(
            f"frame {frame.index:6d}  {obj.state:7s}  score {obj.score:.2f}  box {obj.box}  "
            f"latency {1000 * latency:4.0f} ms  dropped {dropped}",
            flush=True,
        )


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except masktrail.InputError as error:
        raise SystemExit(str(error)) from None
