"""The objects on transparency, for browsers."""

from typing import TYPE_CHECKING, ClassVar

from masktrail.export.matte import cut_out, opacity
from masktrail.export.rendered_video import RenderedVideoWriter
from masktrail.results import Result
from masktrail.types import Frame, Image

if TYPE_CHECKING:
    from masktrail.video.encoding import Encoding


class AlphaWriter(RenderedVideoWriter):
    """`alpha.webm`: VP9 with straight alpha, the source's timing in milliseconds.

    Sound is kept where webm can hold it (Opus, Vorbis), else left out. Edges are soft where the
    run keeps soft masks, else they follow the label map.
    """

    about: ClassVar[str] = "cut-out with alpha (VP9 .webm)"
    files: ClassVar[tuple[str, ...]] = ("alpha.webm",)
    needs_soft: ClassVar[bool] = True

    def picture(self, frame: Frame, result: Result) -> Image:
        """The objects alone, (H, W, 4)."""
        return cut_out(frame.image, opacity(result))

    def encoding(self) -> "Encoding":
        """VP9 with alpha."""
        from masktrail.video.encoding import vp9_alpha

        return vp9_alpha()
