"""The objects on transparency, for editing programs."""

from typing import TYPE_CHECKING, ClassVar

from masktrail.export.matte import cut_out, opacity
from masktrail.export.rendered_video import RenderedVideoWriter
from masktrail.results import Result
from masktrail.types import Frame, Image

if TYPE_CHECKING:
    from masktrail.video.encoding import Encoding


class CutoutWriter(RenderedVideoWriter):
    """`cutout.mov`: ProRes 4444 with straight alpha, the source's timing and sound.

    Edges are soft where the run keeps soft masks, else they follow the label map.
    """

    about: ClassVar[str] = "cut-out with alpha (ProRes 4444 .mov)"
    files: ClassVar[tuple[str, ...]] = ("cutout.mov",)
    needs_soft: ClassVar[bool] = True

    def picture(self, frame: Frame, result: Result) -> Image:
        """The objects alone, (H, W, 4)."""
        return cut_out(frame.image, opacity(result))

    def encoding(self) -> "Encoding":
        """ProRes 4444."""
        from masktrail.video.encoding import prores_4444

        return prores_4444()
