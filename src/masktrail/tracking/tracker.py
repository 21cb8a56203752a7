"""The tracker: one call per frame, whatever the family of model behind it.

Object ids are the user's and permanent. A propagator turns a frame into one mask per object; the
tracker owns ids, prompts, sizes, the competition between objects, and what is said of each.
"""

import copy
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.geometry import Soft, Stretch
from masktrail.images import as_rgb
from masktrail.prompts.apart import apart
from masktrail.prompts.check import check_prompts
from masktrail.prompts.kinds import Box, Mask, Points, Prompt, PromptLike
from masktrail.results import Result, described
from masktrail.settings import integer
from masktrail.tracking.competition import Settled, sigmoid, soft_aggregate, to_logits
from masktrail.tracking.confidence import LOST, expected_overlap
from masktrail.tracking.family import USUAL, Traits
from masktrail.tracking.learning import Learner
from masktrail.tracking.pieces import usual_area, without_strays
from masktrail.tracking.propagator import (
    Learning,
    Marking,
    Prompter,
    Propagator,
    Scoring,
    WarmingUp,
    check_mask,
    check_prompter,
)
from masktrail.tracking.provenance import UNKNOWN, Provenance
from masktrail.tracking.soft import Kind, Opinion, OpinionMasks
from masktrail.tracking.states import MALFORMED, check_state, damaged
from masktrail.types import Colour, Image


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
        prompter: how a box or clicks become a mask; None where masks alone will be given, or what
            the propagator takes itself.
        settings: what the propagator was told, by name.
        traits: what the propagator does itself.
        provenance: what it was made of, see there.
        ahead: whether it is quicker to `look` at the next frame while one is tracked.

    Attributes:
        learner: what lets the propagator learn from prompted frames, if it does.
        logits: (h, w) of every object in the last frame, before they compete.
        given: masks (H, W) that prompts stood for in the last frame.
    """

    def __init__(
        self,
        propagator: Propagator,
        size: int,
        prompter: Prompter | None = None,
        settings: Mapping[str, Any] = MappingProxyType({}),
        traits: Traits = USUAL,
        provenance: Provenance = UNKNOWN,
        ahead: bool = False,
    ) -> None:
        self.propagator = propagator
        self.size = integer(size, "working size")
        self.settings, self.traits = dict(settings), traits
        self.provenance, self.ahead = provenance, ahead
        self._prompter = check_prompter(prompter)
        self.learner = Learner(cast(Learning, propagator))
        self._ids: list[int] = []
        self._stretch: Stretch | None = None
        self._before: dict[int, NDArray[np.bool_]] = {}
        self._usual: dict[int, float] = {}
        self.logits: dict[int, Soft] = {}
        self.given: dict[int, NDArray[np.bool_]] = {}
        self._fresh = copy.deepcopy(self.state_dict())

    def __repr__(self) -> str:
        objects = f"objects {', '.join(map(str, self._ids))}" if self._ids else "no objects"
        what = self.provenance.model or type(self.propagator).__name__
        how = f"{self.provenance.engine} {self.provenance.precision}"
        return f"<Tracker, {what} at {self.size} px, {how}, {objects}>"

    @property
    def learns(self) -> bool:
        """Whether it learns from prompted frames, and was told to."""
        names = self.traits.learns
        return bool(names) and all(self.settings.get(name, True) for name in names)

    @property
    def family(self) -> str:
        """What its propagator is called."""
        return type(self.propagator).__name__.removesuffix("Propagator")

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

    def look(self, image: NDArray[Any], *, colour: Colour = "rgb") -> Seen:
        """What `step` is to know of a frame whatever its objects are.

        Another thread may look at the next frame while `step` is busy with one: nothing that `step`
        uses changes, but that the first frame says how large all are.

        Args:
            image: uint8 (H, W, 3), the same size in every call.
            colour: order of the image's channels.

        Raises:
            InputError: a frame of another size.
        """
        image = as_rgb(image, colour)
        inner = self._fit(image).image_in(image)
        return Seen(inner, self.propagator.look(inner))

    def step(
        self,
        image: NDArray[Any],
        prompts: Mapping[int, PromptLike] | None = None,
        seen: Seen | None = None,
        learn: bool = True,
        *,
        colour: Colour = "rgb",
    ) -> Result:
        """Tracks every object into the next frame.

        Args:
            image: uint8 (H, W, 3), the same size in every call.
            prompts: by object id (1 to 65535), for new objects or known ones: `Box`, `Points`,
                `Mask`, or four numbers for a box, an array (H, W) for a mask. A prompted mask is
                taken as it is and kept in memory, as `prompted` says. Clicks alone on a known
                object correct the mask it would have had. Where prompted masks overlap, the smaller
                one lies on top.
            seen: what `look` said of the image, where it was asked before.
            learn: whether a propagator that learns from prompted frames is to learn from this one.
            colour: order of the image's channels; "bgr" is OpenCV's.

        Raises:
            InputError: a frame of another size, a prompt that cannot be used, or two that mark the
                same pixels.
        """
        image = as_rgb(image, colour)
        stretch = self._fit(image)
        given = {} if prompts is None else prompts
        prompts = check_prompts(given, stretch.height, stretch.width, self._ids)
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
        for object_id in by_id.keys() - prompt_masks.keys() if self.traits.strays else ():
            by_id[object_id] = without_strays(
                by_id[object_id], self._before[object_id], self._usual[object_id]
            )
        for object_id, mask in prompt_masks.items():
            coverage = stretch.mask_in(mask, self.propagator.mask_stride)
            by_id[object_id] = marked.get(object_id, to_logits(coverage))
        result = self._settle(by_id, prompt_masks)
        if learn and prompt_masks and self.learns:
            masks = {i: stretch.mask_in(mask, 1) for i, mask in prompt_masks.items()}
            self.learner.learn(inner, masks)
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

    def reset(self) -> None:
        """Forgets every object, all that is remembered and learned, and the size of the frames."""
        self.load_state_dict({**copy.deepcopy(self._fresh), "size": self.size})
        self.logits, self.given = {}, {}

    def clone(self) -> "Tracker":
        """Another tracker in the same state, which goes its own way.

        Shared are what the propagator has as `engine`, and the prompter. Each may be used by a
        thread of its own; one tracker belongs to one thread at a time.

        Raises:
            InputError: the propagator cannot be copied.
        """
        twin = object.__new__(type(self))
        vars(twin).update(vars(self))
        engine = getattr(self.propagator, "engine", None)
        shared = {} if engine is None else {id(engine): copy.copy(engine)}  # that learns by itself
        try:
            twin.propagator = copy.deepcopy(self.propagator, shared)
        except TypeError as error:
            raise InputError(
                f"{type(self.propagator).__name__} cannot be copied ({error}); give it a method "
                "__deepcopy__, or have it in a tracker of its own wherever one is needed."
            ) from error
        twin.learner = self.learner.of(cast(Learning, twin.propagator))
        twin._ids = list(self._ids)
        twin._before, twin._usual = dict(self._before), dict(self._usual)
        return twin

    __copy__ = clone

    def __deepcopy__(self, memo: dict[int, Any]) -> "Tracker":
        return self.clone()

    def __reduce__(self) -> str:
        raise TypeError(
            "A tracker cannot be sent to another process; load one there, and give it what "
            "state_dict() gave here."
        )

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on mid-video, bit for bit: arrays and plain values."""
        frame = (self._stretch.height, self._stretch.width) if self._stretch else None
        return {
            "model": self._about(),
            "ids": list(self._ids),
            "size": self.size,
            "frame": frame,
            "before": dict(self._before),
            "usual": dict(self._usual),
            "propagator": self.propagator.state_dict(),
            **self.learner.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts back what `state_dict` gave; the model and its settings must be the same.

        Raises:
            InputError: it is of another model, or no state; the tracker is then as it was.
        """
        check_state(state, self._about())
        own, learned = self.propagator.state_dict(), self.learner.state_dict()
        try:
            ids, size, frame = list(state["ids"]), integer(state["size"], "size"), state["frame"]
            before, usual = dict(state["before"]), dict(state["usual"])
            stretch = self._stretch_of(frame[0], frame[1], size) if frame else None
            self.learner.load_state_dict(state)
            self.propagator.load_state_dict(state["propagator"])
        except BaseException as error:
            self.learner.load_state_dict(learned)
            self.propagator.load_state_dict(own)
            if isinstance(error, MALFORMED) and not isinstance(error, InputError):
                raise damaged(error) from error
            raise
        self._ids, self._before, self._usual = ids, before, usual
        self.size, self._stretch = size, stretch

    def _about(self) -> dict[str, Any]:
        """What a state is of."""
        return {
            "family": self.family,
            "weights": self.provenance.weights,
            "precision": self.provenance.precision,
            "settings": dict(self.settings),
        }

    def _stretch_of(self, height: int, width: int, size: int | None = None) -> Stretch:
        stride = self.propagator.stride
        return Stretch.to_short_side(height, width, size or self.size, stride)

    def _fit(self, image: Image) -> Stretch:
        height, width = as_rgb(image).shape[:2]
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

    def _mask_of(self, prompt: Prompt, image: Image, logits: Soft | None) -> NDArray[np.bool_]:
        """The mask a prompt stands for; `logits` are what it would have been without."""
        if isinstance(prompt, Mask):
            return prompt.mask
        assert self._stretch is not None
        previous = None if logits is None else sigmoid(self._stretch.logits_out(logits))
        return check_mask(self._prompter(image, prompt, previous), image)

    def _settle(
        self, logits: dict[int, Soft], prompt_masks: dict[int, NDArray[np.bool_]]
    ) -> Result:
        """Lets the objects compete for pixels, tells the propagator, and reports; what the tracker
        knows changes last, so that an interrupt before leaves no object without a memory."""
        soft, result = self._compete(logits, prompt_masks)
        scores = {i: object_result.score for i, object_result in result.objects.items()}
        before = {i: (mask > 0.5) & (scores[i] > 0) for i, mask in soft.items()}
        usual = {
            i: usual_area(float(np.count_nonzero(mask)), self._usual.get(i, 0.0))
            for i, mask in before.items()
        }
        self.propagator.update(soft, scores, set(prompt_masks))
        self._ids, self._before, self._usual = sorted(logits), before, usual
        self.logits, self.given = logits, prompt_masks
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
            labels = np.zeros((self._stretch.height, self._stretch.width), np.uint8)
            return {}, Result(labels, {}, OpinionMasks({}, labels))
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
        objects = {i: described(labels == i, scores[i], turned) for i in ids}
        kinds = dict.fromkeys(lost, Kind.LOST) | dict.fromkeys(prompt_masks, Kind.GIVEN)
        opinions = {i: Opinion(logits[i], scores[i], kinds.get(i, Kind.TRACKED)) for i in ids}
        return soft, Result(labels, objects, OpinionMasks(opinions, labels))


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
