"""The tracker: one call per frame, whatever the family of model behind it.

Object ids are the user's and permanent. A propagator turns a frame into one mask per object; the
tracker owns ids, prompts, sizes, the competition between objects, and what is said of each.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.geometry import Soft, Stretch
from masktrail.masks import tight_box
from masktrail.masks.rotated import rotated_box
from masktrail.prompts.apart import apart
from masktrail.prompts.check import check_prompt
from masktrail.tracking.competition import Settled, sigmoid, soft_aggregate, to_logits
from masktrail.tracking.confidence import LOST, expected_overlap
from masktrail.tracking.family import USUAL, Traits
from masktrail.tracking.pieces import usual_area, without_strays
from masktrail.tracking.propagator import (
    Learning,
    Lesson,
    Marking,
    Prompter,
    Propagator,
    Scoring,
    WarmingUp,
)
from masktrail.tracking.soft import Kind, Opinion, SoftMasks
from masktrail.types import Box, Image, Mask, ObjectResult, Points, Prompt, Result


class Seen(NamedTuple):
    """A frame as the model sees it.

    Attributes:
        inner: uint8 RGB (h, w, 3), at working size.
        features: what the propagator says of it.
    """

    inner: Image
    features: Any


class Tracker:
    """Follows objects through a video, one `step` per frame.

    Args:
        propagator: the model.
        size: short side the model works at, pixels; smaller videos are not enlarged.
        prompter: how a box or clicks become a mask.
        precision: what the model computes in, for reports.
        settings: what the propagator was told, by name, for reports.
        traits: what the propagator does itself.
        engine: what computes the model, for reports.
        graphs: SHA-256 of the files that it computes, if any, for reports.
        ahead: whether it is quicker to `look` at the next frame while one is tracked.

    Attributes:
        lessons: where what was learned is kept, by what it was learned from, for whoever goes on
            later; None: nowhere but in the state.
        seconds_learning: so long it has learned from prompted frames.
        learning: called with the share done, 0 to 1, while the propagator learns from a prompted
            frame, if it does; what it raises ends `step`.
        logits: (h, w) of every object in the last frame, before they compete.
        given: masks (H, W) that prompts stood for in the last frame.
    """

    def __init__(
        self,
        propagator: Propagator,
        size: int,
        prompter: Prompter,
        precision: str = "float",
        settings: Mapping[str, Any] = MappingProxyType({}),
        traits: Traits = USUAL,
        engine: str = "none",
        graphs: str | None = None,
        ahead: bool = False,
    ) -> None:
        self.propagator = propagator
        self.size = size
        self.engine, self.graphs, self.ahead = engine, graphs, ahead
        self.precision, self.settings = precision, dict(settings)
        self.traits = traits
        self.learning: Callable[[float], None] = lambda share: None
        self._prompter = prompter
        self.lessons: MutableMapping[str, Mapping[str, Any]] | None = None
        self.seconds_learning = 0.0
        self._learned: list[str] = []
        self._lesson: Lesson | None = None
        self._ids: list[int] = []
        self._stretch: Stretch | None = None
        self._before: dict[int, NDArray[np.bool_]] = {}
        self._usual: dict[int, float] = {}
        self.logits: dict[int, Soft] = {}
        self.given: dict[int, NDArray[np.bool_]] = {}

    @property
    def learns(self) -> bool:
        """Whether it learns from prompted frames, and was told to."""
        name = self.traits.learns
        return name is not None and bool(self.settings.get(name, True))

    @property
    def ids(self) -> tuple[int, ...]:
        """Objects being tracked, ascending."""
        return tuple(self._ids)

    def warm_up(
        self, height: int, width: int, prompts: Mapping[int, Prompt], shown: int = 1
    ) -> Iterator[None]:
        """Gets ready for a video, which else happens when its frames come.

        Another thread may call `look` and `step` meanwhile.

        Args:
            height: of its frames.
            width: of its frames.
            prompts: of the first of them that is to come, by object id.
            shown: so many prompted frames come before any that objects are tracked into.

        Yields:
            After every part, so that whoever asks for the next one may stop.

        Raises:
            InputError: the model cannot be used, as `step` would.
        """
        stretch, count = self._stretch_of(height, width), len({*self._ids, *prompts})
        if isinstance(self._prompter, WarmingUp) and any(map(self._is_drawn, prompts.values())):
            yield from self._prompter.warm_up(height, width, count, shown)
        if isinstance(self.propagator, WarmingUp):
            inner = stretch.inner_height, stretch.inner_width
            yield from self.propagator.warm_up(*inner, count, shown)

    def look(self, image: Image) -> Seen:
        """What `step` is to know of a frame whatever its objects are.

        Another thread may look at the next frame while `step` is busy with one: nothing that `step`
        uses changes, but that the first frame says how large all are.

        Args:
            image: uint8 RGB (H, W, 3), the same size in every call.

        Raises:
            InputError: a frame of another size.
        """
        inner = self._fit(image).image_in(image)
        return Seen(inner, self.propagator.look(inner))

    def step(
        self,
        image: Image,
        prompts: Mapping[int, Prompt] | None = None,
        seen: Seen | None = None,
        learn: bool = True,
    ) -> Result:
        """Tracks every object into the next frame.

        Args:
            image: uint8 RGB (H, W, 3), the same size in every call.
            prompts: by object id (1 to 65535), for new objects or known ones; a prompted mask is
                taken as it is and kept in memory for good. Clicks alone on a known object correct
                the mask it would have had. Where prompted masks overlap, the smaller one lies on
                top.
            seen: what `look` said of the image, where it was asked before.
            learn: whether a propagator that learns from prompted frames is to learn from this one.

        Raises:
            InputError: a frame of another size, a prompt that cannot be used, or two that mark the
                same pixels.
        """
        stretch = self._fit(image)
        prompts = {
            i: check_prompt(i, prompt, stretch.height, stretch.width, known=i in self._ids)
            for i, prompt in sorted((prompts or {}).items())
        }
        carried = [i for i in self._ids if i not in prompts or _corrects(prompts[i])]
        inner, features = seen or self.look(image)
        by_id = dict(zip(carried, self.propagator.propagate(features, carried), strict=True))
        marked = self._marked(prompts)
        prompt_masks = apart(
            {i: stretch.logits_out(logits) > 0 for i, logits in marked.items()}
            | {
                i: self._mask_of(prompt, image, by_id.get(i))
                for i, prompt in prompts.items()
                if i not in marked
            }
        )
        self._ids = sorted({*self._ids, *prompt_masks})
        for object_id in by_id.keys() - prompt_masks.keys() if self.traits.strays else ():
            by_id[object_id] = without_strays(
                by_id[object_id], self._before[object_id], self._usual[object_id]
            )
        for object_id, mask in prompt_masks.items():
            coverage = stretch.mask_in(mask, self.propagator.mask_stride)
            by_id[object_id] = marked.get(object_id, to_logits(coverage))
        result = self._settle(by_id, prompt_masks)
        if learn and prompt_masks and self.learns:
            self._learn(inner, prompt_masks)
        return result

    def report(
        self,
        image: Image,
        logits: dict[int, Soft],
        prompt_masks: dict[int, NDArray[np.bool_]],
        scores: Mapping[int, float],
    ) -> Result:
        """What logits made elsewhere say of a frame; nothing is remembered of them.

        Args:
            image: the frame, uint8 RGB (H, W, 3).
            logits: (h, w) by object id, of the size of the attribute `logits`.
            prompt_masks: masks (H, W) that come from the user and stand.
            scores: confidence by object id.
        """
        self._fit(image)
        return self._compete(logits, prompt_masks, scores)[1]

    def remove(self, object_id: int) -> None:
        """Stops tracking an object and forgets it; its id may be given again.

        Raises:
            InputError: no such object.
        """
        if object_id not in self._ids:
            raise InputError(
                f"There is no object {object_id} to remove; tracked are {self._ids or 'none'}."
            )
        self._ids.remove(object_id)
        self._before.pop(object_id, None)
        self._usual.pop(object_id, None)
        self.propagator.forget(object_id)

    def rewind(self) -> None:
        """Leaves where the objects are, to go on in another frame; prompted frames stay in memory.

        Objects are tracked again once they are prompted again.
        """
        self._ids, self._before, self._usual = [], {}, {}

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on mid-video, bit for bit: arrays and plain values."""
        frame = (self._stretch.height, self._stretch.width) if self._stretch else None
        return {
            "ids": list(self._ids),
            "size": self.size,
            "frame": frame,
            "before": dict(self._before),
            "usual": dict(self._usual),
            "learned": list(self._learned),
            "lesson": self._lesson,
            "propagator": self.propagator.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts back what `state_dict` gave; the model and its settings must be the same."""
        self._ids, self.size = list(state["ids"]), state["size"]
        self._stretch = self._stretch_of(*state["frame"]) if state["frame"] else None
        self._before = dict(state["before"])
        self._usual = dict(state["usual"])
        self._take(list(state.get("learned", ())), state.get("lesson"))  # unknown to version 0.1
        self.propagator.load_state_dict(state["propagator"])

    def _stretch_of(self, height: int, width: int) -> Stretch:
        return Stretch.to_short_side(height, width, self.size, self.propagator.stride)

    def _fit(self, image: Image) -> Stretch:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise InputError(
                f"A frame must be uint8 RGB of shape (H, W, 3), not {image.dtype} {image.shape}."
            )
        height, width = image.shape[:2]
        if self._stretch is None:
            self._stretch = self._stretch_of(height, width)
        if (height, width) != (self._stretch.height, self._stretch.width):
            raise InputError(
                f"This frame is {width}x{height}, the video so far {self._stretch.width}x"
                f"{self._stretch.height}; start a new tracker for another video."
            )
        return self._stretch

    def _marked(self, prompts: Mapping[int, Prompt]) -> dict[int, Soft]:
        """Logits (h, w) of objects whose prompts the propagator takes as they are, by id."""
        assert self._stretch is not None
        supported = {
            i: _inside(prompt, self._stretch)
            for i, prompt in prompts.items()
            if not isinstance(prompt, Mask) and not self._is_drawn(prompt)
        }
        if not supported:
            return {}
        logits = cast(Marking, self.propagator).mark(supported)
        return dict(zip(supported, logits, strict=True))

    def _is_drawn(self, prompt: Prompt) -> bool:
        """Whether the prompter makes a mask of a prompt."""
        return not isinstance(prompt, Mask) and _kind(prompt) not in self.traits.prompts

    def _learn(self, image: Image, prompt_masks: Mapping[int, NDArray[np.bool_]]) -> None:
        """Lets the propagator learn from a prompted frame, once, also if it comes again; where the
        same was learned before, it takes that. What fails leaves it as it was."""
        digest = hashlib.sha256(image.tobytes())
        for object_id, mask in sorted(prompt_masks.items()):
            digest.update(object_id.to_bytes(2, "little") + mask.tobytes())
        if digest.hexdigest() in self._learned:
            return
        learned, propagator = [*self._learned, digest.hexdigest()], cast(Learning, self.propagator)
        key, begun = _key(learned), time.perf_counter()
        try:
            lesson = None if self.lessons is None else self.lessons.get(key)
            if lesson is not None:
                propagator.take(lesson)
            else:
                lesson = self._lesson_of(image, prompt_masks)
                if self.lessons is not None:
                    self.lessons[key] = lesson
        except BaseException:
            propagator.take(self._lesson)
            raise
        self.seconds_learning += time.perf_counter() - begun
        self._learned, self._lesson = learned, Lesson(key, lesson)

    def _lesson_of(
        self, image: Image, prompt_masks: Mapping[int, NDArray[np.bool_]]
    ) -> dict[str, Any]:
        """What the propagator knows once it has learned from a frame as well."""
        assert self._stretch is not None
        propagator = cast(Learning, self.propagator)
        masks = {i: self._stretch.mask_in(mask, 1) for i, mask in prompt_masks.items()}
        propagator.learn(image, masks, self.learning)
        return propagator.lesson()

    def _take(self, learned: list[str], lesson: Mapping[str, Any] | None) -> None:
        """Knows a lesson of certain frames, or nothing, unless that is so anyhow."""
        if lesson is not self._lesson:
            cast(Learning, self.propagator).take(lesson)
        self._learned = learned
        self._lesson = None if lesson is None else _as_lesson(_key(learned), lesson)

    def _mask_of(self, prompt: Prompt, image: Image, logits: Soft | None) -> NDArray[np.bool_]:
        """The mask a prompt stands for; `logits` are what it would have been without."""
        if isinstance(prompt, Mask):
            return prompt.mask
        if logits is None:
            return self._prompter(image, prompt, None)
        assert self._stretch is not None
        return self._prompter(image, prompt, sigmoid(self._stretch.logits_out(logits)))

    def _settle(
        self, logits: dict[int, Soft], prompt_masks: dict[int, NDArray[np.bool_]]
    ) -> Result:
        """Lets the objects compete for pixels, tells the propagator, and reports."""
        self.logits, self.given = logits, prompt_masks
        soft, result = self._compete(logits, prompt_masks)
        scores = {i: object_result.score for i, object_result in result.objects.items()}
        self._before = {i: (mask > 0.5) & (scores[i] > 0) for i, mask in soft.items()}
        self._usual = {
            i: usual_area(float(np.count_nonzero(mask)), self._usual.get(i, 0.0))
            for i, mask in self._before.items()
        }
        self.propagator.update(soft, scores, set(prompt_masks))
        return result

    def _scores(self, soft: Mapping[int, Soft]) -> dict[int, float]:
        """How sure each object's mask is."""
        if self.traits.scores:
            scores = cast(Scoring, self.propagator).scores
            figures = {i: scores.get(i, 0.0) for i in soft}
        else:
            figures = {i: expected_overlap(mask) for i, mask in soft.items()}
        return {i: self.traits.calibration(figure) for i, figure in figures.items()}

    def _compete(
        self,
        logits: dict[int, Soft],
        prompt_masks: dict[int, NDArray[np.bool_]],
        scores: Mapping[int, float] | None = None,
    ) -> tuple[dict[int, Soft], Result]:
        """Soft masks (h, w) after the competition, and what follows from them."""
        assert self._stretch is not None
        if not logits:
            return {}, Result(np.zeros((self._stretch.height, self._stretch.width), np.uint8), {})
        ids = sorted(logits)
        aggregated = soft_aggregate(np.stack([logits[i] for i in ids]))
        settled = Settled(self._stretch, ids, aggregated, prompt_masks)
        soft = settled.soft()
        measured = scores or self._scores(soft)
        scores = {i: 1.0 if i in prompt_masks else measured[i] for i in ids}
        labels = settled.labels()
        lost = {i for i, score in scores.items() if score < LOST}
        for object_id in lost:
            labels[labels == object_id] = 0
        turned = self.traits.rotated
        objects = {i: _describe(labels == i, scores[i], turned) for i in ids}
        kinds = dict.fromkeys(lost, Kind.LOST) | dict.fromkeys(prompt_masks, Kind.GIVEN)
        opinions = {i: Opinion(logits[i], scores[i], kinds.get(i, Kind.TRACKED)) for i in ids}
        return soft, Result(labels, objects, SoftMasks(opinions, labels))


def _key(learned: Sequence[str]) -> str:
    """Of what was learned from frames in this order, by their digests."""
    return hashlib.sha256("".join(learned).encode()).hexdigest()


def _as_lesson(key: str, content: Mapping[str, Any]) -> Lesson:
    return content if isinstance(content, Lesson) else Lesson(key, content)


def _kind(prompt: Box | Points) -> str:
    return "box" if isinstance(prompt, Box) else "points"


def _inside(prompt: Box | Points, stretch: Stretch) -> Box | Points:
    """A prompt in pixels of the propagator's picture."""
    if isinstance(prompt, Box):
        return stretch.box_in(prompt)
    points = [stretch.point_in(x, y) for x, y in prompt.points]
    box = prompt.box and stretch.box_in(prompt.box)
    mask = prompt.mask and Mask(stretch.mask_in(prompt.mask.mask, 1))
    return Points(points, prompt.labels, box, mask)


def _corrects(prompt: Prompt) -> bool:
    """Whether a prompt goes out from the mask there is; any other starts afresh."""
    return isinstance(prompt, Points) and prompt.alone


def _describe(mask: NDArray[np.bool_], score: float, turned: bool) -> ObjectResult:
    rotated = rotated_box(mask) if turned else None
    box = tight_box(mask)
    if box is None:
        return ObjectResult(0.0, 0, None, "lost", rotated)
    return ObjectResult(score, int(np.count_nonzero(mask)), box, "present", rotated)
