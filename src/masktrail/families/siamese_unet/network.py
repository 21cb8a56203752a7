"""A U-Net with a Siamese VGG encoder: the final model of the project's report.

Two branches with the same weights see the previous image and the current one, each with the
previous mask as a fourth channel. Their features are fused where the encoder is deepest; a decoder
in the manner of TernausNet (Iglovikov and Shvets, arXiv:1801.05746) leads back to full resolution
with skips from the current branch. The encoder is VGG (Simonyan and Zisserman, ICLR 2015) with a
batch norm after every convolution.

Both branches go through the encoder as one batch. In training its batch norms therefore take their
statistics over the previous and the current images together, which is what weights shared by both
have to suit.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.errors import InputError
from masktrail.models.backbones import Normalise
from masktrail.models.blocks import check_choice, check_dropout, check_sides, conv_unit

CONVOLUTIONS = {"vgg11": (1, 1, 2, 2, 2), "vgg16": (2, 2, 3, 3, 3)}
"""Encoder name to convolutions per level."""

FUSIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "avg": lambda previous, current: 0.5 * (previous + current),
    "max": torch.maximum,
    "min": torch.minimum,
    "diff": lambda previous, current: current - previous,
}
"""Element-wise fusions by name; "concat", beside them, has weights."""

LEVELS = (1, 2, 3, 4, 5)

BATCH_NORM_EPS = 1e-5
"""Added to the variance by every batch norm here."""


@dataclass(frozen=True)
class SiameseConfig:
    """What the report says was tried.

    Attributes:
        encoder: key of `CONVOLUTIONS`.
        fusion: how the branches become one: a key of `FUSIONS`, or "concat", a 1x1 convolution
            over both that starts as their average.
        levels: where they are fused, of 1 (full resolution) to 5 (stride 16). Level 5 fused goes
            into the decoder's centre, a level above it fused into its skip. All other skips, that
            of level 5 always among them, are the current branch's.
        normalise: whether images are brought to ImageNet's mean and deviation, as encoders that
            come from there expect.
        encoder_dropout: share dropped after each convolution of the encoder.
        decoder_dropout: share dropped between the two convolutions of a decoder block.
        width: channels at full resolution, even; 64 is VGG's.

    Raises:
        InputError: a field that is none of what is known.
    """

    encoder: str = "vgg11"
    fusion: str = "avg"
    levels: tuple[int, ...] = (5,)
    normalise: bool = False
    encoder_dropout: float = 0.1
    decoder_dropout: float = 0.3
    width: int = 64

    def __post_init__(self) -> None:
        check_choice("encoder", self.encoder, CONVOLUTIONS)
        check_choice("fusion", self.fusion, (*FUSIONS, "concat"))
        for level in self.levels:
            check_choice("a level to fuse", level, LEVELS)
        if not self.levels:
            raise InputError("levels is empty; fuse at one level at least, of 1 to 5.")
        check_dropout("encoder_dropout", self.encoder_dropout)
        check_dropout("decoder_dropout", self.decoder_dropout)
        if self.width < 2 or self.width % 2:
            raise InputError(f"width = {self.width}; expected an even number of channels.")
        object.__setattr__(self, "levels", tuple(sorted(set(self.levels))))  # JSON has only lists


class Concat(nn.Module):
    """Both branches side by side, brought back to the width of one by a 1x1 convolution.

    It starts as their average, the report's choice, and has no bias: a batch norm follows.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(2 * channels, channels, 1, bias=False)
        half = 0.5 * torch.eye(channels)
        with torch.no_grad():
            self.reduce.weight.copy_(torch.cat([half, half], 1)[..., None, None])

    def forward(self, previous: Tensor, current: Tensor) -> Tensor:
        return self.reduce(torch.cat([previous, current], 1))


class Up(nn.Module):
    """A convolution, then a transposed one that doubles the resolution."""

    def __init__(self, channels_in: int, middle: int, channels: int, dropout: float) -> None:
        super().__init__()
        self.conv = conv_unit(channels_in, middle, dropout)
        self.up = nn.ConvTranspose2d(middle, channels, 3, 2, 1, output_padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.up(self.conv(x)), inplace=True)


class SiameseUNet(nn.Module):
    """VGG encoder for both frames, fusion, TernausNet's decoder."""

    stride = 32

    def __init__(self, config: SiameseConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or SiameseConfig()
        w, dropout = config.width, config.decoder_dropout
        widths = (w, 2 * w, 4 * w, 8 * w, 8 * w)
        self.encoder = _vgg(widths, config)
        concat = config.levels if config.fusion == "concat" else ()
        self.concat = nn.ModuleDict({str(level): Concat(widths[level - 1]) for level in concat})
        self.centre = Up(8 * w, 8 * w, 4 * w, dropout)
        self.decoder = nn.ModuleList(  # levels 5 to 2: what comes from below, and the skip
            [
                Up(4 * w + 8 * w, 8 * w, 4 * w, dropout),
                Up(4 * w + 8 * w, 8 * w, 2 * w, dropout),
                Up(2 * w + 4 * w, 4 * w, w, dropout),
                Up(w + 2 * w, 2 * w, w // 2, dropout),
            ]
        )
        self.last = conv_unit(w // 2 + w, w // 2)
        self.head = nn.Conv2d(w // 2, 1, 1)
        self.normalise = Normalise()

    def start_from(self, tensors: dict[str, Tensor]) -> list[str] | None:
        """Starts from the layers of a VGG, see `initialise_vgg`; None where they are no VGG's."""
        return initialise_vgg(self, tensors) if "conv1_1.weight" in tensors else None

    def forward(self, previous: Tensor, current: Tensor, mask: Tensor) -> Tensor:
        """Finds the object of the previous frame in the current one.

        Args:
            previous: RGB images (B, 3, H, W) in [0, 1], sides multiples of 32.
            current: those that follow them, same shape.
            mask: soft masks (B, 1, H, W) in [0, 1] of the previous images.

        Returns:
            Logits (B, 1, H, W) of the masks of the current images.

        Raises:
            InputError: sides that are no multiples of 32.
        """
        check_sides(current, self.stride)
        skips, x = self._encode(previous, current, mask)
        x = self.centre(F.max_pool2d(x, 2))  # (B, 4w, H/16, W/16)
        for up, skip in zip(self.decoder, skips[:0:-1], strict=True):
            x = up(torch.cat([x, skip], 1))
        return self.head(self.last(torch.cat([x, skips[0]], 1)))

    def _encode(
        self, previous: Tensor, current: Tensor, mask: Tensor
    ) -> tuple[list[Tensor], Tensor]:
        """Skips of levels 1 to 5, at strides 1 to 16, and the input of the centre."""
        images = torch.cat([previous, current])
        if self.config.normalise:
            images = self.normalise(images)
        x = torch.cat([images, mask.repeat(2, 1, 1, 1)], 1)  # (2B, 4, H, W), previous first
        skips, pairs = [], mask.shape[0]
        for number, level in zip(LEVELS, self.encoder, strict=True):
            x = level(x if number == 1 else F.max_pool2d(x, 2))
            unfused = fused = x[-pairs:]
            if number in self.config.levels:
                fused = self._fuse(number, x[:pairs], x[pairs:])
            skips.append(unfused if number == LEVELS[-1] else fused)
            if number == self.config.levels[-1]:
                x = unfused  # nothing deeper asks for the previous image
        return skips, fused

    def _fuse(self, level: int, previous: Tensor, current: Tensor) -> Tensor:
        fuse = FUSIONS.get(self.config.fusion) or self.concat[str(level)]
        return fuse(previous, current)


def _vgg(widths: tuple[int, ...], config: SiameseConfig) -> nn.ModuleList:
    """Levels of convolutions, without the pooling between them."""
    levels, channels = [], 4
    for width, count in zip(widths, CONVOLUTIONS[config.encoder], strict=True):
        inputs = [channels, *[width] * (count - 1)]
        levels.append(nn.Sequential(*(conv_unit(c, width, config.encoder_dropout) for c in inputs)))
        channels = width
    return nn.ModuleList(levels)


@torch.no_grad()
def initialise_vgg(network: SiameseUNet, tensors: dict[str, Tensor]) -> list[str]:
    """Starts the encoder from a VGG that classifies, as far as its layers are at hand.

    The filters of the first layer go to the three colours, brought to the size that those of the
    mask have: a VGG's are a hundred times larger, and beside them the mask would count for nothing
    for thousands of steps. Batch norms stay as they are but for the running statistics that undo
    biases and that scale: before any training the encoder in eval mode computes what the VGG does
    where the mask is empty, and in training the statistics of the batch, which neither changes,
    take their place. Such filters expect ImageNet's statistics: set `normalise`.

    Args:
        network: its width must be VGG's, 64.
        tensors: `conv<level>_<number>.weight` and, where there are any, `.bias`, as in VGG's paper.

    Returns:
        Names of the parameters that were filled whole, as in `network.state_dict()`; the first
        layer, part of which is new, is not among them.

    Raises:
        InputError: nothing fits.
    """
    filled, fits = [], False
    state = network.state_dict()  # the tensors themselves, under their names
    for level, count in enumerate(CONVOLUTIONS[network.config.encoder]):
        for number in range(count):
            source, target = f"conv{level + 1}_{number + 1}", f"encoder.{level}.{number}"
            weight, bias = tensors.get(f"{source}.weight"), tensors.get(f"{source}.bias")
            if weight is None:
                continue
            scale = _copy_filters(state[f"{target}.0.weight"], weight)
            if scale is None:
                continue
            fits = True
            if state[f"{target}.0.weight"].shape == weight.shape:
                filled.append(f"{target}.0.weight")
            if scale != 1:
                state[f"{target}.1.running_var"].fill_(max(0.0, scale**2 - BATCH_NORM_EPS))
            if bias is not None:
                state[f"{target}.1.running_mean"].copy_(-scale * bias)
    if not fits:
        raise InputError(
            f"None of {', '.join(sorted(tensors)[:4]) or 'no tensors'}, ... fits the encoder; "
            "expected conv1_1.weight and so on, of a VGG whose first level has "
            f"{network.config.width} channels."
        )
    return filled


def _copy_filters(target: Tensor, weight: Tensor) -> float | None:
    """Copies filters where they fit, or fit but for a fourth input channel, which stays as it is.

    Returns:
        What they were multiplied by; None where they do not fit.
    """
    if target.shape == weight.shape:
        target.copy_(weight)
        return 1.0
    if target.shape[1] == 4 and target[:, :3].shape == weight.shape:
        scale = float(target[:, 3:].std() / weight.float().std())
        target[:, :3].copy_(scale * weight)
        return scale
    return None
