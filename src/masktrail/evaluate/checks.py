"""What a data set must be before anything is tracked or scored on it."""

from collections.abc import Iterable
from pathlib import Path

from masktrail.data.davis import Sequence
from masktrail.errors import InputError
from masktrail.evaluate.scores import rules_of


def check_sequences(sequences: Iterable[Sequence], pictures: bool = True) -> None:
    """Refuses a data set with holes; reads the heads of its files only.

    Args:
        sequences: of the data set.
        pictures: also hold the masks against the pictures they belong to.

    Raises:
        InputError: a sequence without masks, a mask without a picture, a mask of another size
            than its picture or than the other masks, a file that is no picture.
    """
    for sequence in sequences:
        masks = [path for path in sequence.annotations if path is not None]
        if not masks:
            raise InputError(
                f"Sequence {sequence.name} has no mask whose name matches a picture's; expected "
                f"{sequence.frames[0].stem}.png for {sequence.frames[0].name}."
            )
        _check_strays(sequence, masks[0].parent)
        size = picture_size(masks[0])
        for frame, mask in zip(sequence.frames, sequence.annotations, strict=True):
            if mask is not None:
                _check_size(mask, size, masks[0])
                if pictures:
                    _check_size(mask, picture_size(frame), frame)


def check_scorable(sequences: Iterable[Sequence], protocol: str) -> None:
    """Refuses a data set of which no frame would be scored, as MOSE's validation set is.

    Raises:
        InputError: all sequences have too few masks, or an unknown protocol.
    """
    needed = 2 if rules_of(protocol).last_frame else 3
    most = max(sum(path is not None for path in s.annotations) for s in sequences)
    if most < needed:
        raise InputError(
            f"Nothing to score: no sequence has more than {most} masks; the protocol {protocol} "
            f"needs {needed}, the first being the prompt."
        )


def picture_size(path: Path) -> tuple[int, int]:
    """(width, height) of a picture in pixels, from the head of its file.

    Raises:
        InputError: it is none.
    """
    from masktrail.pictures import opened

    with opened(path, decode=False) as picture:
        return picture.size


def _check_strays(sequence: Sequence, folder: Path) -> None:
    stems = {path.stem for path in sequence.frames}
    strays = sorted(
        path.name
        for path in folder.glob("*.png")
        if path.stem not in stems and not path.name.startswith(".")
    )
    if strays:
        raise InputError(
            f"{folder / strays[0]} has no picture in {sequence.frames[0].parent}; "
            f"{len(strays)} masks of {sequence.name} lack theirs."
        )


def _check_size(mask: Path, size: tuple[int, int], reference: Path) -> None:
    mask_size = picture_size(mask)
    if mask_size != size:
        raise InputError(
            f"{mask} is {mask_size[0]}x{mask_size[1]} but {reference} is {size[0]}x{size[1]}; "
            "they must have the same size."
        )
