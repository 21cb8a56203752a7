"""What a user has marked, as the page sends it and a project keeps it."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from masktrail.errors import InputError
from masktrail.prompts.check import check_prompt
from masktrail.prompts.kinds import Box, Mask, Points, Prompt
from masktrail.zoo import DEFAULT, own_settings

MOST_OBJECTS = 255
"""A label map with a palette holds no more."""

FIRST_COLOR = "#e11d48"

ReadMask = Callable[[str], NDArray[np.bool_]]
"""Gives the kept mask (H, W) of a name."""

ObjectId = Annotated[int, Field(ge=1, le=MOST_OBJECTS)]
SettingText = Annotated[str, Field(max_length=100)]
FrameIndex = Annotated[int, Field(ge=0)]
MaskName = Annotated[str | None, Field(pattern=r"^[0-9a-f]{16}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class MarkedObject(_Strict):
    """What an object is called and shown in; colours matter on the page alone."""

    id: ObjectId
    name: Annotated[str, Field(max_length=80)]
    color: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]

    @property
    def rgb(self) -> tuple[int, ...]:
        """Red, green and blue, 0 to 255."""
        return tuple(bytes.fromhex(self.color[1:]))


class PromptMark(_Strict):
    """A prompt in pixels.

    Attributes:
        box: x0, y0, x1, y1.
        points: x, y and whether on the object.
        mask: name of a painted mask.
        corrects: name of the tracked mask that points alone go out from.
    """

    box: tuple[float, float, float, float] | None = None
    points: Annotated[list[tuple[float, float, bool]], Field(max_length=1000)] = []
    mask: MaskName = None
    corrects: MaskName = None

    @property
    def points_alone(self) -> bool:
        """Whether there are points and nothing else."""
        return bool(self.points) and not self.box and not self.mask

    @model_serializer(mode="wrap")
    def _told(self, usual: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """As it was told before there was `corrects`, where there is none."""
        content: dict[str, Any] = usual(self)
        if self.corrects is None:
            del content["corrects"]
        return content

    def prompt(self, read_mask: ReadMask) -> Prompt | None:
        """As the tracker takes it; None where there is nothing."""
        box = Box(*self.box) if self.box else None
        name = self.corrects if self.points_alone else self.mask
        mask = Mask(read_mask(name)) if name else None
        if self.points:
            points = tuple((x, y) for x, y, _ in self.points)
            return Points(points, tuple(on for *_, on in self.points), box, mask)
        return mask or box


KeepTracked = Callable[[int, int, PromptMark], str | None]
"""Keeps the tracked mask of a frame and an object for a mark; its name, None without one."""


class Settings(_Strict):
    """How to track; `own` are the model's own settings, as text by name."""

    model: str = DEFAULT
    direction: Literal["both", "forward", "backward"] = "both"
    own: Annotated[dict[SettingText, SettingText], Field(max_length=100)] = {}


class Mark(_Strict):
    """Objects, and prompts by frame and object id."""

    objects: Annotated[list[MarkedObject], Field(max_length=MOST_OBJECTS)] = []
    prompts: dict[FrameIndex, dict[ObjectId, PromptMark]] = {}
    settings: Settings = Settings()

    @model_validator(mode="after")
    def _known(self) -> "Mark":
        ids = [entry.id for entry in self.objects]
        if len(set(ids)) < len(ids):
            raise ValueError("two objects have one id")
        marked = {object_id for marks in self.prompts.values() for object_id in marks}
        if marked - set(ids):
            raise ValueError(f"there is no object {min(marked - set(ids))} that a prompt is for")
        return self

    def tracked(self) -> dict[str, Any]:
        """What results depend on: all but names and colours, in one order, and settings that are
        as they are anyhow."""
        content = self.model_dump(mode="json", exclude={"objects"})
        model_settings = own_settings(self.settings.model, content["settings"].pop("own"))
        if model_settings:
            content["settings"]["own"] = model_settings
        content["prompts"] = {
            frame: {
                i: mark.model_dump(mode="json") for i, mark in sorted(marks.items()) if _any(mark)
            }
            for frame, marks in sorted(self.prompts.items())
            if any(map(_any, marks.values()))
        }
        return content

    def correcting(self, before: "Mark", tracked: KeepTracked) -> "Mark":
        """These marks, with the tracked masks that points alone go out from.

        It is the mask that was seen when the first of them was set, whatever is tracked later.

        Args:
            before: the marks that these replace.
            tracked: keeps the tracked mask of a frame and an object for a mark; its name, None
                where nothing was tracked.
        """

        def corrected(frame: int, object_id: int, prompt: PromptMark) -> str | None:
            old = before.prompts.get(frame, {}).get(object_id, PromptMark())
            if not prompt.points_alone:
                return None
            name = prompt.corrects or (old.corrects if old.points_alone else None)
            added = set(prompt.points) - set(old.points if old.points_alone else ())
            if name or not added or not self.started(frame, object_id):
                return name
            return tracked(frame, object_id, prompt)

        prompts = {
            frame: {
                i: prompt.model_copy(update={"corrects": corrected(frame, i, prompt)})
                for i, prompt in objects.items()
            }
            for frame, objects in self.prompts.items()
        }
        return self.model_copy(update={"prompts": prompts})

    def at(self, frame: int, read_mask: ReadMask) -> dict[int, Prompt]:
        """Prompts of a frame, by object id."""
        marks = self.prompts.get(frame, {})
        prompts = {i: mark.prompt(read_mask) for i, mark in sorted(marks.items())}
        return {i: prompt for i, prompt in prompts.items() if prompt is not None}

    def by_frame(self, read_mask: ReadMask) -> dict[int, dict[int, Prompt]]:
        """All prompts, by frame and object id."""
        prompts = {frame: self.at(frame, read_mask) for frame in sorted(self.prompts)}
        return {frame: by_id for frame, by_id in prompts.items() if by_id}

    def started(self, frame: int, object_id: int) -> bool:
        """Whether an object is marked in another frame too, so that there may be a mask of it."""
        others = (marks for other_frame, marks in self.prompts.items() if other_frame != frame)
        return any(object_id in marks and _any(marks[object_id]) for marks in others)


def new_mark() -> Mark:
    """What a project begins with: one object, nothing marked."""
    return Mark(objects=[MarkedObject(id=1, name="object 1", color=FIRST_COLOR)])


def check_mark(mark: Mark, size: tuple[int, int], frames: int | None, read_mask: ReadMask) -> None:
    """Refuses marks that do not fit a video, and settings that the model has not.

    Args:
        mark: what is to be checked.
        size: (width, height) of the video, pixels.
        frames: its length, None while nobody knows.
        read_mask: gives painted masks.

    Raises:
        InputError: which mark or setting, and why.
    """
    if mark.settings.own:
        own_settings(mark.settings.model, mark.settings.own)
    width, height = size
    for frame, prompts in mark.by_frame(read_mask).items():
        if frames is not None and frame >= frames:
            raise InputError(f"There is no frame {frame} to mark; the video has {frames}.")
        for object_id, prompt in prompts.items():
            check_prompt(object_id, prompt, height, width, mark.started(frame, object_id))


def _any(mark: PromptMark) -> bool:
    return bool(mark.box or mark.points or mark.mask)
