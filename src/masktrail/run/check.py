"""Whether what a run is asked for fits its video."""

from masktrail.errors import InputError
from masktrail.prompts.check import check_prompts
from masktrail.run.plan import Plan
from masktrail.video.reader import Video


def check_plan(plan: Plan, video: Video, end: int | None) -> None:
    """Refuses prompts that do not fit a video before anything is loaded or written.

    Raises:
        InputError: which prompt, and why.
    """
    info, ids = video.info, set[int]()
    for frame in sorted(plan.prompts, reverse=not plan.forward):
        ids |= check_prompts(plan.prompts[frame], info.height, info.width, ids).keys()
        if end is not None and frame >= end:
            raise InputError(
                f"The prompt for frame {frame} lies behind frame {end - 1}, the last one asked "
                "for; choose a greater end."
            )
    if plan.backward and not video.repeatable:
        raise InputError(
            f"{info.source} is live or a pipe and cannot be tracked backward, as the prompt for "
            f"frame {plan.last} needs; track it forward alone, or record it to a file first."
        )
