"""Draws a U-Net from its modules: every convolution it computes, with channels and resolution.

    python tools/draw_network.py unet docs/unet.png
    python tools/draw_network.py siamese-unet docs/siamese-unet.png --side 256

Nothing is drawn by hand: the network is run on shapes alone, and its convolutions are noted as they
come. A box is an output: as high as its picture, as wide as its channels are many; below it their
number. What lies at one height has one resolution.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle
from torch import Tensor, nn

from masktrail.families import create

NETWORKS = ("unet", "siamese-unet")

KINDS = {
    "in": ("input: frames and previous mask", "#8a94a3"),
    "conv": ("3x3 convolution", "#3b6fb6"),
    "up": ("transposed convolution", "#c2703d"),
    "out": ("1x1 convolution", "#5b8f4e"),
}
"""What a box stands for, and its colour."""

GAP, STEP, DROP = 0.35, 1.0, 2.6
"""Between the two branches, between boxes, between resolutions; in units of the drawing."""


@dataclass(frozen=True)
class Output:
    """What a convolution gave, or what the first one got.

    Attributes:
        kind: key of `KINDS`.
        pictures: how many at once: two where both frames go through.
        channels: of it.
        side: of its picture, pixels.
    """

    kind: str
    pictures: int
    channels: int
    side: int


def outputs_of(network: nn.Module, side: int) -> list[Output]:
    """The input of the first convolution, and the outputs of all in the order they are computed.

    Args:
        network: of those called with two frames and a mask.
        side: of the pictures, pixels.
    """
    outputs: list[Output] = []

    def note(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        if not outputs:
            outputs.append(Output("in", len(inputs[0]), inputs[0].shape[1], inputs[0].shape[3]))
        if isinstance(module, nn.ConvTranspose2d):
            kind = "up"
        else:
            assert isinstance(module, nn.Conv2d)
            kind = "out" if module.kernel_size == (1, 1) else "conv"
        outputs.append(Output(kind, len(output), output.shape[1], output.shape[3]))

    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    hooks = [module.register_forward_hook(note) for module in convolutions]
    images, mask = torch.empty(1, 3, side, side), torch.empty(1, 1, side, side)
    with torch.no_grad():
        network.to("meta")(images.to("meta"), images.to("meta"), mask.to("meta"))
    for hook in hooks:
        hook.remove()
    return outputs


def bottom(outputs: list[Output]) -> int:
    """Index of the first output from which it goes up again."""
    return next(i for i, output in enumerate(outputs) if output.kind == "up")


def draw(title: str, outputs: list[Output], path: Path) -> None:
    """One drawing, PNG."""
    side, turn = outputs[0].side, bottom(outputs)
    figure, axes = plt.subplots(figsize=(15, 7), constrained_layout=True)
    ends: dict[int, tuple[float, float]] = {}  # by side, where the way down left it
    x, before = 0.0, 2 * outputs[0].side
    for number, output in enumerate(outputs):
        if output.side < before:
            level = (x + 0.1, _middle(side, output))
            axes.text(*level, f"{output.side} px", ha="right", va="center", color="#5a6472")
        if before != output.side and number and outputs[number - 1].pictures > output.pictures:
            axes.text(x + 0.9, level[1] + 0.9, "average", style="italic", color="#5a6472")
        x += STEP if output.side == before else 0.6 * STEP
        before = output.side
        right, middle = _box(axes, x, side, output)
        if number < turn:
            ends[output.side] = (right, middle)
        elif output.kind == "up" and output.side in ends:
            _skip(axes, ends.pop(output.side), (x, middle))
        x = right
    axes.set_title(title, loc="left", fontsize=13)
    handles = [Rectangle((0, 0), 1, 1, color=color, label=what) for what, color in KINDS.values()]
    axes.legend(handles=handles, loc="lower right", frameon=False)
    axes.autoscale_view()
    axes.set_axis_off()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _box(axes: Axes, x: float, side: int, output: Output) -> tuple[float, float]:
    """Draws an output; where it ends, and how high its middle lies."""
    height, width = 1.9 * (output.side / side) ** 0.35, 0.12 * output.channels**0.4
    middle = _middle(side, output)
    for picture in reversed(range(output.pictures)):  # the current frame's branch lies in front
        shift = GAP * picture
        corner = (x + 0.5 * shift, middle - height / 2 + shift)
        axes.add_patch(
            Rectangle(corner, width, height, facecolor=KINDS[output.kind][1], edgecolor="white")
        )
    below = (x + width / 2, middle - height / 2 - 0.15)
    axes.text(*below, str(output.channels), ha="center", va="top", fontsize=9)
    return x + width, middle


def _middle(side: int, output: Output) -> float:
    """How high an output lies: a resolution below the other."""
    return -DROP * ((side // output.side).bit_length() - 1)


def _skip(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """An arrow from the way down to the way up."""
    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, color="#8a94a3", zorder=0)
    )


def main() -> None:
    """Parses the arguments and draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("out", type=Path, help="PNG")
    parser.add_argument("--side", type=int, default=256, help="of the pictures, pixels")
    arguments = parser.parse_args()
    network = create(arguments.network)
    title = f"{arguments.network}, {sum(p.numel() for p in network.parameters()):,} parameters"
    draw(title, outputs_of(network, arguments.side), arguments.out)


if __name__ == "__main__":
    main()
