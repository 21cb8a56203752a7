"""Videos in and out: any file, folder of pictures, camera or URL to frames; frames to a file."""

from masktrail.video.reader import Video, open_video
from masktrail.video.writer import VideoWriter

__all__ = ["Video", "VideoWriter", "open_video"]
