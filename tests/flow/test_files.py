"""Flow comes back from .flo bit for bit, and what cannot be used is refused in a sentence."""

import struct
from pathlib import Path

import numpy as np
import pytest

from masktrail.errors import InputError
from masktrail.flow.files import read_flow, write_flow

SMALL = b"PIEH" + struct.pack("<ii4f", 2, 1, 1.5, -2.0, 0.0, 0.25)
"""A flow 2 wide and 1 high."""


@pytest.fixture
def flow() -> np.ndarray:
    flow = np.random.default_rng(0).normal(0, 50, (7, 5, 2)).astype(np.float32)
    flow[0, 0], flow[0, 1] = (-0.0, 1e-42), (1e9, -1e9)
    return flow


def test_flow_comes_back_bit_for_bit(tmp_path: Path, flow: np.ndarray) -> None:
    write_flow(tmp_path / "a.flo", flow)
    back, valid = read_flow(tmp_path / "a.flo")
    assert back.dtype == np.float32 and back.tobytes() == flow.tobytes()
    assert valid.dtype == bool and valid.shape == (7, 5) and valid.all()
    assert back.flags.writeable
    assert [path.name for path in tmp_path.iterdir()] == ["a.flo"]


def test_unknown_flow_comes_back_as_zero(tmp_path: Path, flow: np.ndarray) -> None:
    known = np.random.default_rng(1).random((7, 5)) < 0.6
    flow[~known] = np.nan
    before = flow.copy()
    write_flow(tmp_path / "a.flo", flow, known)
    assert flow.tobytes() == before.tobytes()
    back, valid = read_flow(tmp_path / "a.flo")
    assert np.array_equal(valid, known)
    assert back[known].tobytes() == flow[known].tobytes()
    assert (back[~known] == 0).all()


def test_nothing_may_be_known(tmp_path: Path, flow: np.ndarray) -> None:
    write_flow(tmp_path / "a.flo", flow, np.zeros((7, 5), bool))
    back, valid = read_flow(tmp_path / "a.flo")
    assert not back.any() and not valid.any()


def test_the_bytes_are_those_of_middlebury(tmp_path: Path) -> None:
    path = tmp_path / "a.flo"
    flow = np.array([[[1.5, -2.0], [0.0, 0.25]]], np.float32)
    write_flow(path, flow)
    assert path.read_bytes() == SMALL
    assert SMALL[:4] == struct.pack("<f", 202021.25)
    write_flow(path, flow, np.array([[True, False]]))
    assert path.read_bytes() == SMALL[:20] + struct.pack("<2f", 1e10, 1e10)


def test_views_and_big_endian_arrays_are_written_alike(tmp_path: Path, flow: np.ndarray) -> None:
    write_flow(tmp_path / "a.flo", flow[:, ::-1].astype(">f4"))
    write_flow(tmp_path / "b.flo", np.ascontiguousarray(flow[:, ::-1]))
    assert (tmp_path / "a.flo").read_bytes() == (tmp_path / "b.flo").read_bytes()


@pytest.mark.parametrize("far", [(1.5e9, 0), (0, -1.5e9), (1e10, 1e10)])
def test_one_component_is_enough_to_be_unknown(tmp_path: Path, far: tuple[float, float]) -> None:
    path = tmp_path / "a.flo"
    path.write_bytes(SMALL[:12] + struct.pack("<2f", *far) + SMALL[20:])
    back, valid = read_flow(path)
    assert valid.tolist() == [[False, True]]
    assert back.tolist() == [[[0, 0], [0, 0.25]]]


REFUSED = {
    "empty": (b"", r"no \.flo file: it begins with b'', not with b'PIEH'\. Give a file"),
    "a picture": (b"\x89PNG\r\n\x1a\n" * 4, r"no \.flo file: it begins with b'\\x89PNG'"),
    "big-endian": (struct.pack(">fii", 202021.25, 1, 1) + bytes(8), r"no \.flo file"),
    "half a header": (SMALL[:9], "cut short: it has 9 bytes, and the header alone has 12. Copy"),
    "no width": (b"PIEH" + struct.pack("<ii", 0, 4), "is 0x4 pixels; both must be at least 1"),
    "less than no height": (b"PIEH" + struct.pack("<ii", 2, -1), "is 2x-1 pixels; both must be"),
    "both negative": (b"PIEH" + struct.pack("<ii2f", -1, -1, 0, 0), "is -1x-1 pixels"),
    "absurd": (
        b"PIEH" + struct.pack("<ii", 2**31 - 1, 2**31 - 1),
        r"has 12 bytes; a flow of 2147483647x2147483647 pixels, which it says it is, has 3689\d+",
    ),
    "truncated": (SMALL[:-1], "has 27 bytes; a flow of 2x1 pixels, .* has 28. Copy or write"),
    "too long": (SMALL + b"\0", "has 29 bytes; a flow of 2x1 pixels, .* has 28. Copy or write"),
    "nan": (SMALL[:-4] + struct.pack("<f", np.nan), "not finite numbers; .* Write the file again"),
    "infinite": (SMALL[:-4] + struct.pack("<f", -np.inf), "not finite numbers"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_flow_is_refused(tmp_path: Path, name: str) -> None:
    content, sentence = REFUSED[name]
    path = tmp_path / "a.flo"
    path.write_bytes(content)
    with pytest.raises(InputError, match=sentence) as caught:
        read_flow(path)
    assert str(path) in str(caught.value)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a.flo", content)]


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no flow file .*a\.flo; check its name\."):
        read_flow(tmp_path / "a.flo")
    assert not list(tmp_path.iterdir())


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read as a flow file"):
        read_flow(tmp_path)


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path, flow: np.ndarray) -> None:
    with pytest.raises(InputError, match="could not be written"):
        write_flow(tmp_path / "none" / "a.flo", flow)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="could not be written"):
        write_flow(tmp_path / "folder", flow)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1.1e9])
def test_known_flow_that_could_not_be_read_is_not_written(
    tmp_path: Path, flow: np.ndarray, wrong: float
) -> None:
    flow[2, 3, 1] = wrong
    for valid in (None, np.ones((7, 5), bool)):
        with pytest.raises(ValueError, match="known flow must be finite"):
            write_flow(tmp_path / "a.flo", flow, valid)
    assert not list(tmp_path.iterdir())


def test_wrong_shapes_are_not_written(tmp_path: Path, flow: np.ndarray) -> None:
    for shape in (flow[..., 0], flow[..., :1], flow[:0], flow[None]):
        with pytest.raises(ValueError, match=r"must be \(H, W, 2\) and not empty"):
            write_flow(tmp_path / "a.flo", shape)
    with pytest.raises(ValueError, match="sizes must agree"):
        write_flow(tmp_path / "a.flo", flow, np.ones((5, 7), bool))
    assert not list(tmp_path.iterdir())
