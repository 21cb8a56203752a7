"""From a video and prompts to finished files."""

from masktrail.run.loop import Report, track

__all__ = ["Report", "track"]
