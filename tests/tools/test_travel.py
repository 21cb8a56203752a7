"""What may travel to a machine and back."""

import subprocess
from pathlib import Path

import pytest

import travel
from gpu.results import expected_files
from masktrail.errors import InputError
from masktrail.families import create
from masktrail.recipe import Recipe
from masktrail.zoo.storage import compact
from travel import BLOCK, FILE, FILES, GIVES, MIB, SPARE, TAKES

NETWORKS = ("memory", "siamese-unet", "unet")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return tmp_path


def write(path: Path, size: int) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(size))


def test_what_travels_of_a_source_tree(checkout: Path) -> None:
    """What git ignores stays, and so do weights and the bundle; files are in blocks, one more
    each."""
    (checkout / ".gitignore").write_text("runs/\n")
    write(checkout / "tracked.py", 3 * BLOCK + 1)
    write(checkout / "gone.py", 8 * BLOCK)
    write(checkout / "weights" / "one.safetensors", 9 * BLOCK)
    subprocess.run(["git", "add", "."], cwd=checkout, check=True)
    (checkout / "gone.py").unlink()
    write(checkout / "new file.py", 0)
    write(checkout / "runs" / "log.csv", 9 * BLOCK)
    write(checkout / "data.zip", 9 * BLOCK)
    (checkout / "link").symlink_to("runs")
    bundle = checkout / "data.zip"
    expected = (2 + 5 + 1 + 2) * BLOCK  # .gitignore, tracked.py, new file.py, link
    assert travel.tree_bytes(checkout, bundle) == expected
    assert travel.tree_bytes(checkout, checkout / "runs" / "data.zip") == expected + 10 * BLOCK
    assert travel.room_beside(expected) == TAKES - SPARE - expected


def test_a_tree_that_git_does_not_know_or_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no git checkout"):
        travel.tree_bytes(tmp_path, tmp_path / "data.zip")
    with pytest.raises(InputError, match=r"takes 63\.8 MiB and 64 travel"):
        travel.room_beside(TAKES - SPARE)


def test_a_bundle_too_large_for_what_else_travels_is_refused(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    write(checkout / "code.py", 2 * MIB)
    bundle = checkout / "data.zip"
    with bundle.open("wb") as file:
        file.truncate(TAKES - 2 * MIB - BLOCK)
    travel.refuse_too_much_to_take(checkout, bundle)
    with bundle.open("ab") as file:
        file.write(b".")
    with pytest.raises(InputError, match=r"takes 2\.0 MiB and .* 62\.0; 64 travel"):
        travel.refuse_too_much_to_take(checkout, bundle)
    travel.refuse_too_much_to_take(tmp_path_factory.mktemp("arrived"), bundle)


@pytest.mark.parametrize(
    "files",
    [
        {str(n): 1 for n in range(FILES + 1)},
        {"large": FILE + 1},
        {str(n): GIVES // FILES + 1 for n in range(FILES)},
    ],
)
def test_what_cannot_come_back_is_refused(files: dict[str, int]) -> None:
    with pytest.raises(InputError, match="8 may, 64 MiB in all, each 16 at most"):
        travel.refuse_too_much(files)


def test_what_just_can_come_back_is_not() -> None:
    travel.refuse_too_much({str(n): GIVES // FILES for n in range(FILES)})
    travel.refuse_too_much({"large": FILE})
    travel.refuse_too_much({})


def test_three_networks_come_back_as_int8_but_not_as_float16() -> None:
    files = expected_files({family: Recipe(family=family) for family in NETWORKS})
    travel.refuse_too_much(files)
    halves = {
        family: sum(t.nbytes for t in compact(create(family)).values()) for family in NETWORKS
    }
    assert sum(halves.values()) == pytest.approx(117e6, rel=0.01)
    with pytest.raises(InputError, match="3 files would come back"):
        travel.refuse_too_much(halves)
    twice = {name: Recipe(family="unet") for name in ("unet", "unet-again", "unet-once-more")}
    with pytest.raises(InputError, match="Train fewer networks"):
        travel.refuse_too_much(expected_files(twice))
