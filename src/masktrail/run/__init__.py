"""From a video and prompts to finished files."""

from masktrail.run.convert import convert
from masktrail.run.job import Job
from masktrail.run.loop import Report, track, track_video
from masktrail.run.propagating import propagate

__all__ = ["Job", "Report", "convert", "propagate", "track", "track_video"]
