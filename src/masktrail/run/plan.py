"""Prompts at several frames: which direction says what of a frame. The rule, without any pixels.

An object's prompted frames are fixed. Behind the last one it is tracked forward, before the first
one backward, and between two both ways; there each direction counts by its score and the nearness
of the prompt that it comes from. See docs/corrections.md.
"""

from bisect import bisect_left
from collections.abc import Mapping
from typing import Literal, cast, get_args

from masktrail.errors import InputError
from masktrail.prompts.kinds import Points, Prompt, PromptLike, as_prompt
from masktrail.settings import check_choice, integer

Direction = Literal["both", "forward", "backward"]

DIRECTIONS: tuple[Direction, ...] = get_args(Direction)

Prompts = Mapping[int, PromptLike | Mapping[int, PromptLike]]
"""By object id, for the first frame; or by frame, counted from the source's frame 0, and id."""


class Plan:
    """Who is tracked where, and in which direction.

    Args:
        prompts: by frame and object id.
        start: first frame of the video that is looked at.
        direction: "both"; "forward" or "backward": this one alone.

    Attributes:
        prompts: by frame, ascending, and object id.
        first: first prompted frame.
        last: last prompted frame.
        forward: whether frames are tracked forward between `start` and `last`, or behind it.
        backward: whether there is anything to track backward.
        complete: the prompts but for clicks that correct what was tracked, by frame and object id.
        corrected: frames to be tracked forward first, for clicks that correct what comes of it.

    Raises:
        InputError: a prompt before `start`, a direction in which there is nothing to track.
    """

    def __init__(
        self, prompts: Mapping[int, Mapping[int, Prompt]], start: int, direction: str
    ) -> None:
        check_choice(direction, DIRECTIONS, "direction")
        self.prompts = {frame: dict(prompts[frame]) for frame in sorted(prompts)}
        self.first, self.last = min(self.prompts), max(self.prompts)
        if self.first < start:
            raise InputError(
                f"The prompt for frame {self.first} lies before frame {start}, where tracking "
                "starts; frames are counted from the beginning of the video."
            )
        if direction == "backward" and self.last == start:
            raise InputError(
                f"There is nothing to track backward: the only prompt is for frame {start}, the "
                "first one. Mark an object in a later frame."
            )
        self.start = start
        self.forward = direction != "backward"
        self.backward = direction != "forward" and self.last > start
        self._frames: dict[int, list[int]] = {}
        for frame, objects in self.prompts.items():
            for object_id in objects:
                self._frames.setdefault(object_id, []).append(frame)
        self.complete = self._complete()
        self.corrected = self._corrected() if self.forward else range(0)

    @property
    def ids(self) -> tuple[int, ...]:
        """Objects, ascending."""
        return tuple(sorted(self._frames))

    def corrects(self, frame: int, object_id: int) -> bool:
        """Whether a prompt is clicks on what was tracked from another one, not a mask by itself."""
        prompt, frames = self.prompts[frame][object_id], self._frames[object_id]
        first = frames[0] if self.forward else frames[-1]
        return isinstance(prompt, Points) and prompt.alone and frame != first

    def _complete(self) -> dict[int, dict[int, Prompt]]:
        complete = {
            frame: {i: prompt for i, prompt in objects.items() if not self.corrects(frame, i)}
            for frame, objects in self.prompts.items()
        }
        return {frame: objects for frame, objects in complete.items() if objects}

    def _corrected(self) -> range:
        clicked = [
            t for t, objects in self.prompts.items() if any(self.corrects(t, i) for i in objects)
        ]
        return range(self.first, clicked[-1] + 1) if clicked else range(0)

    def shares(self, object_id: int, frame: int) -> tuple[float, float]:
        """How near the prompts are that each direction comes from: forward, backward.

        Both sum to 1 between two prompts; 0 where a direction says nothing of the object. At a
        prompted frame it does not matter, the prompt stands: (1, 0), or (0, 1) without forward.
        """
        frames = self._frames[object_id]
        behind = bisect_left(frames, frame)
        if behind < len(frames) and frames[behind] == frame:
            return (1.0, 0.0) if self.forward else (0.0, 1.0)
        before = frame - frames[behind - 1] if behind > 0 and self.forward else None
        after = frames[behind] - frame if behind < len(frames) and self.backward else None
        if before is None or after is None:
            return float(before is not None), float(after is not None)
        return after / (before + after), before / (before + after)


def weight(shares: tuple[float, float], scores: tuple[float, float]) -> float:
    """Weight of the forward direction, 0 to 1; the backward one has the rest.

    Nearness times score: a direction that has lost the object leaves the word to the other.

    Args:
        shares: of forward and backward, from `Plan.shares`.
        scores: of forward and backward, 0 to 1.
    """
    forward, backward = (s * c for s, c in zip(shares, scores, strict=True))
    if forward + backward == 0:  # both have lost it
        forward, backward = shares
    return forward / (forward + backward)


def by_frame(prompts: Prompts, start: int) -> dict[int, dict[int, Prompt]]:
    """Prompts of either kind by frame and object id; those by id alone are for frame `start`.

    Raises:
        InputError: there are none, they have no ids, or both kinds are mixed.
    """
    if not isinstance(prompts, Mapping):
        raise InputError(
            "Prompts are given by object id, as {1: Box(40, 60, 200, 300)}, or by frame and object "
            f"id, not as {type(prompts).__name__}."
        )
    nested = {key: objects for key, objects in prompts.items() if isinstance(objects, Mapping)}
    if nested and len(nested) < len(prompts):
        raise InputError("Give prompts either by object id or by frame and object id, not both.")
    frames = nested or ({start: cast(Mapping[int, PromptLike], prompts)} if prompts else {})
    result = {
        integer(frame, "frame"): {
            integer(i, "object id"): as_prompt(value) for i, value in objects.items()
        }
        for frame, objects in frames.items()
        if objects
    }
    if not result:
        raise InputError("There is nothing to track; give a mask or a box for the first frame.")
    return result
