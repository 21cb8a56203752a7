"""A video tracked from prompts at any of its frames, in both directions, frame by frame.

Up to the last prompt there are two passes, both with every prompted frame in memory: backward,
whose opinions lie on disk (`LogitCache`), then forward, which joins them with its own.
"""

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.prompts.kinds import Mask, Prompt
from masktrail.results import Result
from masktrail.run.logit_cache import LogitCache
from masktrail.run.pipeline import ahead
from masktrail.run.plan import Plan, weight
from masktrail.tracking.competition import sigmoid, to_logits
from masktrail.tracking.soft import Opinion
from masktrail.types import Frame, VideoInfo
from masktrail.video.reader import Video
from masktrail.video.seek import Recording, frames_backward
from masktrail.video.source import Tick

if TYPE_CHECKING:
    from masktrail.tracking.tracker import Seen, Tracker

Looked = tuple[Frame, "Seen | None"]
"""A frame, and what the tracker sees in it, where it looked ahead."""

Kept = tuple[int, dict[str, Any]]
"""The frame a state was kept before, and the state."""

EPSILON = 0.02
"""Joined probabilities stay this far from 0 and 1: were the background surer of itself than the
object is where directions disagree, edges would move inwards when masks are enlarged."""


class ForwardPass:
    """Every frame as it comes: nothing is looked at twice, any source will do.

    Args:
        tracker: without objects.
        plan: the prompts.
    """

    extra = 0

    def __init__(self, tracker: "Tracker", plan: Plan) -> None:
        self._tracker, self._waiting = tracker, dict(plan.prompts)
        self._first = plan.first

    @property
    def seconds_learning(self) -> float:
        """So long the tracker has learned from prompted frames."""
        return self._tracker.learner.seconds

    def warm_up(self, info: VideoInfo) -> Iterator[None]:
        """Gets the tracker ready for the frames that are to come, see `Tracker.warm_up`."""
        prompts = self._waiting.get(self._first, {})
        return self._tracker.warm_up(info.height, info.width, prompts)

    def prepare(self, video: Video, done: Tick, tick: Tick) -> None:
        """Nothing to prepare."""

    def looked_at(self, frames: Iterable[Frame], begin: int) -> Generator[Looked, None, None]:
        """Frames, and what the tracker sees in those from `begin` on."""
        return with_looks(self._tracker, frames, begin)

    def step(self, frame: Frame, seen: "Seen | None" = None) -> Result:
        """What the tracker says of the next frame, and has perhaps seen in it already."""
        return self._tracker.step(frame.image, self._waiting.pop(frame.index, None), seen)

    def skip(self, frame: Frame) -> None:
        """Passes over a lost frame.

        Raises:
            InputError: a prompt is for it.
        """
        if frame.index in self._waiting:
            raise InputError(lost(frame.index))

    def finish(self, video: Video) -> None:
        """Makes sure that every prompt was met.

        Raises:
            InputError: one is for a frame that never came.
        """
        if self._waiting:
            raise InputError(never_came(video.info.source, min(self._waiting), video.loss))

    def close(self) -> None:
        """Nothing to free."""

    def state(self) -> dict[str, Any]:
        """Everything needed to go on with the next frame."""
        return self._tracker.state_dict()

    def resume(self, checkpoint: Kept | None, following: int) -> int:
        """Goes on where a run stood.

        Args:
            checkpoint: the frame a state was kept before, and the state.
            following: frame after the last one whose results are known.

        Returns:
            The frame to be stepped to next; results of those before it have to be known.
        """
        if checkpoint is None:
            return 0
        frame, state = checkpoint
        self._tracker.load_state_dict(state)
        self._waiting = {t: prompts for t, prompts in self._waiting.items() if t >= frame}
        return frame


class BothPasses:
    """Frames up to the last prompt tracked in the plan's directions and joined.

    Args:
        tracker: without objects.
        plan: with something to track backward.
        scratch: folder, on the disk for what the backward pass says; it need not be there.

    Raises:
        InputError: nothing can be written there.
    """

    def __init__(self, tracker: "Tracker", plan: Plan, scratch: Path) -> None:
        self._tracker, self._plan = tracker, plan
        self._backward = LogitCache(scratch)
        self._given: dict[int, dict[int, NDArray[np.bool_]]] = {}
        self._following, self._state = plan.start, dict[str, Any]()

    @property
    def seconds_learning(self) -> float:
        """So long the tracker has learned from prompted frames."""
        return self._tracker.learner.seconds

    @property
    def extra(self) -> int:
        """How many frames `prepare` tracks; 0 once both ways are joined."""
        backward = self._plan.last + 1 - self._following
        return backward + len(self._plan.corrected) if backward > 0 else 0

    def warm_up(self, info: VideoInfo) -> Iterator[None]:
        """Gets the tracker ready for the frames that are to come, see `Tracker.warm_up`."""
        prompts = self._plan.prompts[self._plan.first] if self.extra else {}
        shown = max(1, len(self._plan.complete))
        return self._tracker.warm_up(info.height, info.width, prompts, shown)

    def prepare(self, video: Video, done: Tick, tick: Tick) -> None:
        """Tracks backward from the last prompt.

        Args:
            video: from `plan.start` on, repeatable.
            done: called after every frame that is tracked.
            tick: called while frames are only looked at, too; both may raise to end this.

        Raises:
            InputError: the video ends before the last prompt, or a prompt cannot be used.
        """
        if not self.extra:
            return
        with closing(video.recording()) as recording:
            self._learn(recording, self._plan.complete, tick)
            self._check_all_came(recording, tick)
            if self._plan.corrected:
                self._correct(video, recording, done, tick)
            state = self._state or self._tracker.state_dict()
            backward = frames_backward(recording, self._following, self._plan.last, tick)
            looked = with_looks(self._tracker, backward)
            with closing(ahead(looked)) as frames:  # whose thread is to be done with the file
                self._pass_backward(frames, done)
        self._tracker.load_state_dict(state)

    def looked_at(self, frames: Iterable[Frame], begin: int) -> Generator[Looked, None, None]:
        """Frames, and what the tracker sees in those from `begin` on that it is to track."""
        if self._plan.forward:
            return with_looks(self._tracker, frames, max(begin, self._plan.first))
        return with_looks(self._tracker, frames, self._plan.last + 1)

    def step(self, frame: Frame, seen: "Seen | None" = None) -> Result:
        """What both directions together say of a frame; the tracker has perhaps seen it already."""
        self._following = frame.index + 1
        if frame.index > self._plan.last:
            return self._tracker.step(frame.image, seen=seen)
        forward, backward = self._step_forward(frame, seen), self._backward.read(frame.index)
        joined: dict[int, Opinion] = {}
        for object_id in self._plan.ids:
            shares = self._plan.shares(object_id, frame.index)
            opinion = join(forward.get(object_id), backward.get(object_id), shares)
            if opinion is not None:
                joined[object_id] = opinion
        logits = {i: opinion.logits for i, opinion in joined.items()}
        scores = {i: opinion.score for i, opinion in joined.items()}
        prompt_masks = self._given.get(frame.index, {})
        return self._tracker.report(frame.image, logits, prompt_masks, scores)

    def skip(self, frame: Frame) -> None:
        """Passes over a lost frame; both directions did."""

    def finish(self, video: Video) -> None:
        """All prompts have been met."""

    def close(self) -> None:
        """Frees the disk."""
        self._backward.close()

    def state(self) -> dict[str, Any] | None:
        """Everything needed to go on with the next frame, but for what the backward pass says."""
        return self._tracker.state_dict() if self._plan.forward else None

    def resume(self, checkpoint: Kept | None, following: int) -> int:
        """Goes on where a run stood; see `ForwardPass.resume`.

        The frames from there to the last prompt are tracked backward again.
        """
        if not self._plan.forward:
            self._following = max(min(following, self._plan.last + 1), self._plan.start)
        elif checkpoint is not None:
            self._following, self._state = checkpoint
            if not self.extra:
                self._tracker.load_state_dict(self._state)
        return self._following

    def _learn(
        self, recording: Recording, prompts: Mapping[int, Mapping[int, Prompt]], tick: Tick
    ) -> None:
        """Shows prompted frames to the memory, before any tracking; where there is but one, the
        passes begin with it, and it is looked for alone."""
        shown = len(self._plan.prompts) > 1 or self._tracker.learns
        for frame in recording.pick(list(prompts), tick):
            if frame.lost:
                raise InputError(lost(frame.index))
            if shown:
                self._tracker.step(frame.image, prompts[frame.index])
                self._keep_given(frame.index)
                self._tracker.rewind()

    def _check_all_came(self, recording: Recording, tick: Tick) -> None:
        recording.count(self._plan.last + 1, tick)
        missing = [index for index in self._plan.prompts if index >= len(recording)]
        if missing:
            raise InputError(never_came(recording.info.source, missing[0], recording.loss))

    def _correct(self, video: Video, recording: Recording, done: Tick, tick: Tick) -> None:
        """Makes masks of the clicks that correct what is tracked as far as there, and shows them to
        the memory as well, without what was only tracked."""
        corrected = self._plan.corrected
        state = self._tracker.state_dict()
        complete = {index: set(masks) for index, masks in self._given.items()}
        shown = islice(video, corrected.stop - self._plan.start)
        looked = with_looks(self._tracker, shown, corrected.start)
        with closing(ahead(looked)) as frames:
            for frame, seen in frames:
                if frame.index in corrected:
                    self._opinions_of(frame, {}, seen)
                    done()
        self._tracker.load_state_dict(state)
        clicked = {
            index: _masks(masks, without=complete.get(index, ()))
            for index, masks in self._given.items()
        }
        self._learn(recording, {index: masks for index, masks in clicked.items() if masks}, tick)

    def _pass_backward(self, frames: Iterable[Looked], done: Tick) -> None:
        opinions: dict[int, Opinion] = {}
        for frame, seen in frames:
            opinions = self._opinions_of(frame, opinions, seen)
            self._backward.write(frame.index, opinions)
            done()

    def _step_forward(self, frame: Frame, seen: "Seen | None") -> dict[int, Opinion]:
        if not self._plan.forward or frame.index < self._plan.first:
            return {}
        return self._opinions_of(frame, {}, seen)

    def _opinions_of(
        self, frame: Frame, before: dict[int, Opinion], seen: "Seen | None"
    ) -> dict[int, Opinion]:
        """What the tracker says of the next frame of a pass; of a lost one what it said before.

        It has learned from what is prompted here when that was shown to the memory, or will.
        """
        prompts = self._plan.prompts.get(frame.index, {})
        if frame.lost:
            if prompts:
                raise InputError(lost(frame.index))
            return before
        masks = self._given.get(frame.index, {})
        # clicks that left nothing of their object say so again, where it is known
        open_prompts = {
            i: prompt
            for i, prompt in prompts.items()
            if i not in masks or (not masks[i].any() and i in self._tracker.ids)
        }
        given = {**open_prompts, **_masks(masks)}
        result = self._tracker.step(frame.image, given, seen, learn=False)
        self._keep_given(frame.index)
        return {
            i: Opinion(logits, result.objects[i].score)
            for i, logits in self._tracker.logits.items()
        }

    def _keep_given(self, index: int) -> None:
        """Keeps what prompts of a frame stood for when they were first met."""
        if self._tracker.given:
            self._given[index] = {**self._tracker.given, **self._given.get(index, {})}


def with_looks(
    tracker: "Tracker", frames: Iterable[Frame], begin: int = 0
) -> Generator[Looked, None, None]:
    """Frames, and what a tracker that can look ahead sees in those from `begin` on.

    Whoever takes them may be busy with one while the next is looked at.
    """
    for frame in frames:
        looks = tracker.ahead and frame.index >= begin and not frame.lost
        yield frame, tracker.look(frame.image) if looks else None


def _masks(
    masks: Mapping[int, NDArray[np.bool_]], without: Collection[int] = ()
) -> dict[int, Prompt]:
    """Those that are not empty, as prompts by object id."""
    return {i: Mask(mask) for i, mask in masks.items() if mask.any() and i not in without}


def join(
    forward: Opinion | None, backward: Opinion | None, shares: tuple[float, float]
) -> Opinion | None:
    """One opinion of an object from those of two directions; None where neither counts.

    Probabilities are averaged with the weight of `corrections.weight`. The score is the average of
    the scores, each times the overlap of its direction's mask with the joined one: where directions
    contradict each other, one of them is wrong.

    Args:
        forward: what the forward pass said, None where it did not know the object.
        backward: the same of the backward pass.
        shares: of both, from `Plan.shares`.
    """
    sides = zip((forward, backward), shares, strict=True)
    counted = [(opinion, share) for opinion, share in sides if opinion is not None and share > 0]
    if len(counted) < 2:
        return counted[0][0] if counted else None
    (first, near), (second, far) = counted
    share = weight((near, far), (first.score, second.score))
    pooled = share * sigmoid(first.logits) + (1 - share) * sigmoid(second.logits)
    logits = to_logits(pooled, EPSILON).astype(np.float32)
    score = share * first.score * _overlap(first.logits, logits)
    score += (1 - share) * second.score * _overlap(second.logits, logits)
    return Opinion(logits, score)


def lost(frame: int) -> str:
    """The sentence for a prompt of a frame that cannot be decoded."""
    return f"Frame {frame}, which a prompt is for, cannot be decoded; mark the objects in another."


def never_came(source: str, frame: int, loss: str | None) -> str:
    """The sentence for a prompt of a frame that is not there, of a source with or without loss."""
    return (
        f"{source} ends before frame {frame}, which a prompt is for, or left it out; frames are "
        f"counted from 0. {loss or ''}"
    ).rstrip()


def _overlap(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """IoU of the masks of two maps of logits; 1 where both are empty."""
    union = np.count_nonzero((first > 0) | (second > 0))
    return np.count_nonzero((first > 0) & (second > 0)) / union if union else 1.0
