"""SiamMask's networks: the shapes of the paper, windows of responses, published weights."""

import pytest
import torch
from torch import Tensor, nn

from masktrail.errors import InputError
from masktrail.families import create
from masktrail.families.siammask.config import RING, STRIDE, TAPS
from masktrail.families.siammask.graphs import graphs
from masktrail.families.siammask.importing import CONFIG, LEVELS, from_siammask, our_name
from masktrail.families.siammask.network import SiamMask, window
from masktrail.families.siammask.training import windows
from masktrail.models.backbones import IMAGENET_MEAN, IMAGENET_STD
from masktrail.zoo.importing import import_weights
from masktrail.zoo.weights import load_network

BACKBONES, BRANCHES = tuple(TAPS), ("two", "three")


def made(**config) -> SiamMask:
    torch.manual_seed(0)
    return create("siammask", **config).eval()


def pictures(side: int, count: int = 1) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("branches", BRANCHES)
@pytest.mark.parametrize("backbone", BACKBONES)
@torch.no_grad()
def test_maps_are_as_large_as_the_paper_has_them(backbone: str, branches: str) -> None:
    network = made(backbone=backbone, branches=branches, width=8)
    kernels = network.exemplar(pictures(127))
    assert [tuple(kernel.shape) for kernel in kernels] == [(1, 8, 5, 5)] * len(kernels)
    *features, p0, p1, p2 = network.search(pictures(255))
    assert [tuple(each.shape) for each in features] == [(1, 8, 29, 29)] * len(kernels)
    *said, found = network.match(*kernels, *features)
    assert [m.shape[1] for m in said] == ([10, 20] if branches == "three" else [1])
    assert {tuple(m.shape[2:]) for m in (*said, found)} == {(25, 25)}
    sides = [(m.shape[1], *m.shape[2:]) for m in (p0, p1, p2)]
    assert sides == [
        (channels, side, side)
        for channels, side in zip(TAPS[backbone], (125, 63, 31), strict=False)
    ]
    place = torch.tensor([3.0, 20.0])
    for logits in (network.coarse(found, place), network.refined(found, p0, p1, p2, place)):
        assert logits.shape == (1, 1, 127, 127)


@pytest.mark.parametrize("branches", BRANCHES)
@torch.no_grad()
def test_graphs_say_what_the_functions_give(branches: str) -> None:
    network = made(branches=branches, width=8)
    said = graphs(network.config)
    kernels = network.exemplar(pictures(127))
    parts = network.search(pictures(255))
    shapes = dict(zip(said["exemplar"].outputs, (k.shape for k in kernels), strict=True))
    shapes |= dict(zip(said["search"].outputs, (part.shape for part in parts), strict=True))
    found = network.match(*kernels, *parts[: len(kernels)])
    shapes |= dict(zip(said["match"].outputs, (each.shape for each in found), strict=True))
    for function in ("match", "coarse", "refined"):
        for name, shape in said[function].inputs.items():
            assert name == "place" or tuple(shapes[name]) == shape


@pytest.mark.parametrize("backbone", BACKBONES)
@torch.no_grad()
def test_every_map_lies_on_the_pixels_of_the_picture(backbone: str) -> None:
    """A crop moved by a stride shows the same features, one pixel of the map further."""
    encoder = made(backbone=backbone, width=8).encoder
    whole = pictures(255 + STRIDE)
    here, there = encoder(whole[..., :255, :255]), encoder(whole[..., STRIDE:, STRIDE:])
    for one, other, step in zip(here, there, (4, 2, 1, 1), strict=True):
        inner = slice(12, -12)  # layers after the first are padded
        moved = one[..., step:, step:][..., inner, inner]
        assert torch.allclose(moved, other[..., :-step, :-step][..., inner, inner], atol=1e-4)


def test_windows_begin_where_their_responses_do() -> None:
    """At stride 8 that of response 4 + n begins with pixel n; beyond the map there is nothing."""
    maps = 1 + torch.arange(31.0 * 31).view(1, 1, 31, 31)
    inside = window(maps, torch.tensor([RING + 2, RING + 5]), 15, 1)
    assert torch.equal(inside, maps[..., 2:17, 5:20])
    corner = window(maps, torch.tensor([0, 24]), 15, 1)[0, 0]
    assert not corner[:RING].any() and not corner[:, -RING:].any()
    assert torch.equal(corner[RING:, :-RING], maps[0, 0, :11, -11:])


def test_training_cuts_the_windows_that_tracking_does() -> None:
    maps = torch.rand(2, 3, 63, 63)
    rows = torch.tensor([[0, 0, 24], [1, 7, 3], [1, 24, 0]])
    cut = windows(maps, rows, 31, 2)
    for (b, *place), shown in zip(rows.tolist(), cut, strict=True):
        assert torch.equal(window(maps[b : b + 1], torch.tensor(place), 31, 2)[0], shown)


def test_an_unknown_backbone_is_refused() -> None:
    with pytest.raises(InputError, match="backbone = 'vgg'; choose one of resnet18, resnet50"):
        create("siammask", backbone="vgg")


def published() -> dict[str, Tensor]:
    """Tensors as SiamMask's authors named them, of the shapes they gave them."""
    return {
        _their_name(name): _some(name, tensor)
        for name, tensor in made(**CONFIG).state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


def _some(name: str, tensor: Tensor) -> Tensor:
    if name == "encoder.conv1.1.running_var":  # large ones, and hardly any
        return torch.where(torch.arange(64) % 2 == 0, 2e5 + tensor, 0.1)
    if name.endswith("running_var"):
        return torch.rand_like(tensor) + 0.5
    return tensor + 0.1 * torch.rand_like(tensor)


def _their_name(name: str) -> str:
    """The other way round than `our_name`, written out anew."""
    first, *rest = name.split(".")
    if first == "adjust":
        return ".".join(["features.downsample.downsample", *rest])
    if first == "refine":
        return ".".join(["refine_model", *rest])
    if first == "heads":
        models = {"score": "rpn_model.cls", "box": "rpn_model.loc", "mask": "mask_model.mask"}
        return ".".join([models[rest[0]], *rest[1:]])
    parts = ["features.features"]
    while rest:
        part = rest.pop(0)
        if part.startswith("conv"):
            part = part.replace("conv", ("conv", "bn")[int(rest.pop(0))])
        parts.append(part)
    return ".".join(parts)


def test_names_of_the_published_network_are_known() -> None:
    names = {
        "features.features.conv1.weight": "encoder.conv1.0.weight",
        "features.features.bn1.running_mean": "encoder.conv1.1.running_mean",
        "features.features.layer2.0.downsample.0.weight": "encoder.layer2.0.downsample.0.weight",
        "features.features.layer3.5.bn3.bias": "encoder.layer3.5.conv3.1.bias",
        "features.downsample.downsample.1.weight": "adjust.1.weight",
        "rpn_model.cls.conv_kernel.0.weight": "heads.score.conv_kernel.0.weight",
        "rpn_model.loc.head.3.bias": "heads.box.head.3.bias",
        "mask_model.mask.head.3.weight": "heads.mask.head.3.weight",
        "refine_model.v2.0.weight": "refine.v2.0.weight",
        "refine_model.deconv.weight": "refine.deconv.weight",
    }
    assert {name: our_name(name) for name in names} == names
    assert {our_name(name) for name in published()} <= made(**CONFIG).state_dict().keys()


def test_shapes_are_those_of_the_published_network() -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in published().items()}
    expected = {
        "features.features.layer1.0.downsample.0.weight": (256, 64, 1, 1),
        "features.features.layer2.0.downsample.0.weight": (512, 256, 3, 3),
        "features.features.layer3.0.downsample.0.weight": (1024, 512, 3, 3),
        "features.features.layer3.5.conv2.weight": (256, 256, 3, 3),
        "features.downsample.downsample.0.weight": (256, 1024, 1, 1),
        "rpn_model.cls.head.3.weight": (10, 256, 1, 1),
        "rpn_model.loc.head.3.weight": (20, 256, 1, 1),
        "mask_model.mask.head.3.weight": (3969, 256, 1, 1),
        "refine_model.v2.0.weight": (128, 512, 3, 3),
        "refine_model.v0.2.weight": (4, 16, 3, 3),
        "refine_model.deconv.weight": (256, 32, 15, 15),
        "refine_model.post0.weight": (16, 32, 3, 3),
        "refine_model.post2.weight": (1, 4, 3, 3),
    }
    assert {name: shapes[name] for name in expected} == expected


@torch.no_grad()
def test_published_weights_see_what_they_saw(tmp_path) -> None:
    """Their first layer was given blue, green, red from 0 to 255; ours normalised pictures."""
    tensors = published()
    torch.save({"state_dict": {f"module.{k}": v for k, v in tensors.items()}}, tmp_path / "a.pth")
    import_weights("siammask", tmp_path / "a.pth", tmp_path / "a.safetensors")
    network, family = load_network(tmp_path / "a.safetensors")
    assert family == "siammask" and network.config.backbone == "resnet50"
    convolution = nn.Conv2d(3, 64, 7, 2, bias=False)
    norm = nn.BatchNorm2d(64).eval()
    convolution.load_state_dict({"weight": tensors["features.features.conv1.weight"]})
    norm.load_state_dict(
        {
            **norm.state_dict(),
            **{
                key: tensors[f"features.features.bn1.{key}"]
                for key in ("weight", "bias", "running_mean", "running_var")
            },
        }
    )
    images = pictures(127)
    theirs = norm(convolution(images.flip(1) * LEVELS))
    mean, std = (torch.tensor(x).view(1, 3, 1, 1) for x in (IMAGENET_MEAN, IMAGENET_STD))
    ours = network.encoder.conv1((images - mean) / std)
    assert torch.allclose(ours, theirs, atol=0.01, rtol=0.01)
    assert len(network.exemplar(images)) == 3


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.pop("refine_model.post0.bias"), "refine.post0.bias is missing"),
        (lambda t: t.update(more=torch.zeros(1)), "it has more"),
        (lambda t: t.update({"refine_model.post2.bias": torch.zeros(2)}), r"is \(2,\), not \(1,\)"),
        (lambda t: t["refine_model.post2.bias"].fill_(torch.nan), "no finite numbers"),
    ],
)
def test_other_networks_are_refused(spoil, message: str) -> None:
    tensors = published()
    spoil(tensors)
    with pytest.raises(ValueError, match=message):
        from_siammask(tensors)


def test_a_checkpoint_of_another_network_is_one_sentence(tmp_path) -> None:
    torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "a.pth")
    with pytest.raises(InputError, match="another network than the family 'siammask' imports"):
        import_weights("siammask", tmp_path / "a.pth", tmp_path / "a.safetensors")
