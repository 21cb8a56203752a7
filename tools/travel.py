"""What a machine that is lent for minutes takes in and gives back, and what of it a run would need.

It sees a copy of the source tree and what is named to go with it, all in all `TAKES`; of what was
made there no more comes back than a few files.
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from masktrail.errors import InputError

MIB = 2**20

TAKES = 64 * MIB
"""Bytes that travel there: the source tree and the bundle."""

GIVES, FILES, FILE = 64 * MIB, 8, 16 * MIB
"""What comes back: bytes in all, files, bytes of the largest of them."""

SPARE = MIB // 4
"""Bytes of `TAKES` that a bundle leaves, for what all is packed in and for second thoughts."""

BLOCK = 512
"""An archive rounds files up to it, and adds one each."""

LEFT_BEHIND = "*.safetensors"
"""Files of the tree that no training needs: weights to start from travel in the bundle."""


class NoCheckout(InputError):
    """A folder that git does not know."""


def tree_bytes(root: Path, bundle: Path) -> int:
    """Bytes that a source tree takes when it travels: what git tracks or has not been told to
    ignore, without weights, and without a bundle that may lie there.

    Raises:
        NoCheckout: git does not know it.
    """
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(listing, cwd=root, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoCheckout(
            f"{root} is no git checkout, so what travels of it is not known; say --limit."
        ) from error
    files = {root / name for name in listed.decode().split("\0") if name} - {bundle.absolute()}
    sizes = [
        path.lstat().st_size
        for path in files
        if not path.match(LEFT_BEHIND) and (path.is_symlink() or path.is_file())
    ]
    return sum(-(-size // BLOCK) * BLOCK + BLOCK for size in sizes)


def room_beside(tree: int) -> int:
    """Bytes that a bundle may have beside a source tree of so many.

    Raises:
        InputError: there is none.
    """
    room = TAKES - SPARE - tree
    if room <= 0:
        raise InputError(
            f"The source tree takes {tree / MIB:.1f} MiB and {TAKES // MIB} travel; have git "
            "ignore what need not."
        )
    return room


def refuse_too_much_to_take(root: Path, bundle: Path) -> None:
    """Makes sure that a source tree and a bundle may travel; where the tree is no checkout, it has.

    Raises:
        InputError: they are too large.
    """
    try:
        tree = tree_bytes(root, bundle)
    except NoCheckout:
        return
    size = bundle.stat().st_size
    if tree + size > TAKES:
        raise InputError(
            f"The source tree takes {tree / MIB:.1f} MiB and {bundle} {size / MIB:.1f}; "
            f"{TAKES // MIB} travel. Make a bundle with --recipes."
        )


def refuse_too_much(files: Mapping[str, int]) -> None:
    """Makes sure that files may come back.

    Args:
        files: bytes by name.

    Raises:
        InputError: they are too many, or too large.
    """
    total, largest = sum(files.values()), max(files.values(), default=0)
    if len(files) > FILES or total > GIVES or largest > FILE:
        raise InputError(
            f"{len(files)} files would come back, {total / MIB:.1f} MiB in all, the largest "
            f"{largest / MIB:.1f}; {FILES} may, {GIVES // MIB} MiB in all, each {FILE // MIB} at "
            "most. Train fewer networks at once."
        )
