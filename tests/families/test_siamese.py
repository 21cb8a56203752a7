"""The report's final model: its parts, its fusions, its start from a VGG."""

import itertools

import pytest
import torch
from torch import Tensor, nn

from masktrail.errors import InputError
from masktrail.families import create
from masktrail.families.siamese_unet.network import SiameseConfig, SiameseUNet, initialise_vgg
from masktrail.models.blocks import folded

ALL = ("avg", "max", "min", "concat", "diff")
FIVE = (1, 2, 3, 4, 5)


def small(**config) -> SiameseUNet:
    torch.manual_seed(0)
    return SiameseUNet(SiameseConfig(width=4, **config))


def pair(batch: int = 2, height: int = 32, width: int = 96) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    sizes = [(batch, channels, height, width) for channels in (3, 3, 1)]
    return [torch.rand(size, generator=generator) for size in sizes]


def warmed(network: SiameseUNet) -> SiameseUNet:
    """Its batch norms have settled on what they saw."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # a plain average
    with torch.no_grad():
        for _ in range(3):
            network.train()(*pair())
    return network.eval()


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def full(**config) -> SiameseUNet:
    with torch.device("meta"):
        return SiameseUNet(SiameseConfig(**config))


def test_the_network_of_the_report_has_this_many_parameters() -> None:
    network = full()
    assert count(network) == 22_932_673
    assert [[count(unit) for unit in level] for level in network.encoder] == [
        [2_432],
        [73_984],
        [295_424, 590_336],
        [1_180_672, 2_360_320],
        [2_360_320, 2_360_320],
    ]
    assert count(network.centre) == 3_540_224
    assert [count(up) for up in network.decoder] == [4_719_872, 4_129_920, 1_032_768, 258_336]
    assert (count(network.last), count(network.head)) == (27_712, 33)


def test_variants_differ_from_it_by_their_layers() -> None:
    """Five convolutions more in VGG16; two 512-channel maps into one for concat at level 5."""
    more = [(64, 64), (128, 128), (256, 256), (512, 512), (512, 512)]
    assert count(full(encoder="vgg16")) - count(full()) == sum(9 * i * o + 2 * o for i, o in more)
    assert count(full(fusion="concat")) - count(full()) == 2 * 512 * 512
    assert count(full(fusion="max", levels=FIVE)) == count(full())


@pytest.mark.parametrize("encoder", ["vgg11", "vgg16"])
@pytest.mark.parametrize("size", [(32, 32), (96, 32), (160, 224)])
def test_logits_have_the_size_of_the_images(encoder: str, size: tuple[int, int]) -> None:
    logits = small(encoder=encoder).eval()(*pair(2, *size))
    assert logits.shape == (2, 1, *size)


@pytest.mark.parametrize("levels", [(5,), (1,), (2, 4), FIVE])
def test_every_fusion_is_another(levels: tuple[int, ...]) -> None:
    """Except that concatenation starts as the average."""
    state, outputs = warmed(small(levels=levels)).state_dict(), {}
    for fusion in ALL:
        network = small(fusion=fusion, levels=levels).eval()
        network.load_state_dict(state, strict=False)
        with torch.no_grad():
            outputs[fusion] = network(*pair())
    torch.testing.assert_close(outputs["concat"], outputs["avg"], atol=1e-5, rtol=1e-4)
    for one, two in itertools.combinations(("avg", "max", "min", "diff"), 2):
        assert not torch.allclose(outputs[one], outputs[two], atol=1e-4), (one, two)


@pytest.mark.parametrize("fusion", ALL)
@pytest.mark.parametrize("levels", [(5,), (3,), FIVE])
def test_gradient_reaches_every_parameter_through_both_branches(fusion, levels) -> None:
    network = small(fusion=fusion, levels=levels, encoder_dropout=0.0, decoder_dropout=0.0)
    inputs = [x.requires_grad_() for x in pair(height=64)]
    network(*inputs).square().mean().backward()
    assert not [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert all(x.grad is not None and x.grad.any() for x in inputs)


def test_each_level_is_fused_or_not() -> None:
    state, outputs = warmed(small()).state_dict(), []
    for levels in [(level,) for level in FIVE] + [(1, 5), FIVE]:
        network = small(levels=levels).eval()
        network.load_state_dict(state)
        outputs.append(network(*pair()).detach())
    for one, two in itertools.combinations(outputs, 2):
        assert not torch.allclose(one, two, atol=1e-4)


def test_the_skip_of_the_deepest_level_is_of_the_current_branch() -> None:
    """As the report draws it: there only the centre sees the average."""
    network = warmed(small())
    previous, current, mask = pair()
    with torch.no_grad():
        skips, fused = network._encode(previous, current, mask)
        alone, same = network._encode(current, current, mask)
    for one, two in zip(skips, alone, strict=True):
        torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(same, alone[-1], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(fused, same, atol=1e-3)


def test_both_branches_share_the_statistics_of_training() -> None:
    network = small()
    previous, current, mask = pair()
    network(previous, current, mask)
    unit = network.encoder[0][0]
    images = torch.cat([torch.cat([x, mask], 1) for x in (previous, current)])
    expected = unit[0](images).mean((0, 2, 3)) * unit[1].momentum
    torch.testing.assert_close(unit[1].running_mean, expected.detach())


def test_dropout_is_off_when_it_is_used() -> None:
    network, inputs = small(), pair()
    with torch.no_grad():
        network.train()
        assert not torch.equal(network(*inputs), network(*inputs))
        network.eval()
        assert torch.equal(network(*inputs), network(*inputs))


@pytest.mark.parametrize("config", [{}, {"encoder": "vgg16", "fusion": "concat", "levels": FIVE}])
def test_folding_batch_norms_changes_nothing_but_the_layers(config) -> None:
    network = warmed(small(**config))
    with torch.no_grad():
        quick = folded(network)
        torch.testing.assert_close(quick(*pair()), network(*pair()), atol=1e-4, rtol=1e-4)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in quick.modules())
    assert any(isinstance(m, nn.BatchNorm2d) for m in network.modules())


def test_normalising_inside_is_normalising_outside() -> None:
    inside, outside = small(normalise=True).eval(), small().eval()
    previous, current, mask = pair()
    mean, std = (
        torch.tensor(values).view(3, 1, 1)
        for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    given = [(x - mean) / std for x in (previous, current)]
    with torch.no_grad():
        found = inside(previous, current, mask)
        assert torch.allclose(found, outside(*given, mask), atol=1e-5)
        assert not torch.allclose(found, outside(previous, current, mask), atol=1e-3)
    assert inside.state_dict().keys() == outside.state_dict().keys()


def vgg(levels: int = 3, width: int = 4) -> dict[str, Tensor]:
    """Filters of a classifier's first levels, as a weights file names them."""
    generator, tensors, channels = torch.Generator().manual_seed(3), {}, 3
    for level in range(1, levels + 1):
        for number in range(1, 5 if level > 2 else 3):
            filters = width * 2 ** (level - 1)
            name = f"conv{level}_{number}"
            size = (filters, channels, 3, 3)
            tensors[f"{name}.weight"] = 0.2 * torch.randn(size, generator=generator)
            tensors[f"{name}.bias"] = torch.randn(filters, generator=generator)
            channels = filters
    return tensors


VGG16 = {
    f"{level}.{unit}.0": f"conv{level + 1}_{unit + 1}"
    for level, units in enumerate((2, 2, 3))
    for unit in range(units)
}


def test_a_vgg16_starts_from_a_vgg() -> None:
    network, tensors = small(encoder="vgg16"), vgg()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    filled = initialise_vgg(network, {name: value.half() for name, value in tensors.items()})
    assert filled == [f"encoder.{place}.weight" for place in list(VGG16)[1:]]
    own = network.state_dict()
    for place, name in list(VGG16.items())[1:]:
        expected = tensors[f"{name}.weight"].half().float()
        assert torch.equal(own[f"encoder.{place}.weight"], expected)
    changed = {n for n in own if not torch.equal(own[n], before[n])}
    means = {f"encoder.{place[:-1]}1.running_mean" for place in VGG16}
    first = {"encoder.0.0.0.weight", "encoder.0.0.1.running_var"}
    assert changed - set(filled) == means | first


def test_colours_and_mask_count_alike_at_first() -> None:
    """The filters of a VGG in [0, 1] are a hundred times those that a new layer begins with."""
    network = small()
    mask = network.encoder[0][0][0].weight[:, 3:].clone()
    large = {name: 60 * value for name, value in vgg().items()}
    initialise_vgg(network, large)
    weight = network.encoder[0][0][0].weight
    assert torch.equal(weight[:, 3:], mask)
    assert weight[:, :3].std().item() == pytest.approx(mask.std().item(), rel=1e-3)
    scale = weight[:, :3] / large["conv1_1.weight"]
    torch.testing.assert_close(scale, scale.mean().expand_as(scale))


def test_an_encoder_so_started_computes_what_the_vgg_does_without_a_mask() -> None:
    network, tensors = small(encoder="vgg16").eval(), vgg()
    for part in ("weight", "bias"):
        tensors[f"conv1_1.{part}"] *= 40  # as large as those for images in [0, 1] are
    initialise_vgg(network, tensors)
    x = torch.rand(1, 3, 16, 16)
    seen = torch.cat([x, torch.zeros(1, 1, 16, 16)], 1)
    for number in (1, 2):
        weight, bias = (tensors[f"conv1_{number}.{kind}"] for kind in ("weight", "bias"))
        x = nn.functional.conv2d(x, weight, bias, padding=1).relu()
    torch.testing.assert_close(network.encoder[0](seen), x, atol=1e-3, rtol=1e-4)


def test_a_vgg11_takes_what_fits_and_no_bias_is_needed() -> None:
    network = small()
    weights = {name: value for name, value in vgg().items() if name.endswith("weight")}
    places = ("1.0.0", "2.0.0", "2.1.0")
    assert initialise_vgg(network, weights) == [f"encoder.{place}.weight" for place in places]
    assert not network.encoder[0][0][1].running_mean.any()


@pytest.mark.parametrize("tensors", [{}, {"fc.weight": torch.ones(3)}, vgg(width=8)])
def test_a_start_from_nothing_that_fits_is_refused(tensors: dict[str, Tensor]) -> None:
    network = small()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(InputError, match=r"fits the encoder; expected conv1_1\.weight.*4 channels"):
        initialise_vgg(network, tensors)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_config_comes_back_from_json() -> None:
    network = create("siamese-unet", levels=[5, 1, 5], fusion="concat", width=4)
    assert isinstance(network, SiameseUNet)
    assert network.config == SiameseConfig(levels=(1, 5), fusion="concat", width=4)
    assert hash(network.config) is not None


@pytest.mark.parametrize("size", [(48, 64), (64, 48), (0, 32)])
def test_other_sizes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=rf"{size[1]}x{size[0]}.*multiples of 32; resize"):
        small()(*pair(1, *size))


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"encoder": "vgg19"}, "encoder = 'vgg19'; choose one of 'vgg11', 'vgg16'"),
        ({"fusion": "mean"}, "fusion = 'mean'; choose one of 'avg', .*'concat'"),
        ({"levels": [0, 5]}, "a level to fuse = 0; choose one of 1, 2"),
        ({"levels": []}, "levels is empty; fuse at one level at least"),
        ({"encoder_dropout": 1.0}, "encoder_dropout = 1.0; expected a share"),
        ({"decoder_dropout": -0.1}, "decoder_dropout = -0.1; expected a share"),
        ({"width": 7}, "width = 7; expected an even number"),
    ],
)
def test_other_configs_are_refused(config: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        SiameseConfig(**config)
