"""What other tools write, one thing at a time, and what is wrong with it."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from masktrail.annotations import Annotations, LabelledVideo, read_annotations
from masktrail.annotations.shapes import Runs
from masktrail.errors import InputError

SIZE = (40, 30)

SQUARE = [4, 6, 14, 6, 14, 16, 4, 16]
"""x, y of four corners; pycocotools fills 10 pixels by 10."""


def coco(folder: Path, **fields: Any) -> Path:
    told = {
        "images": [
            {"id": 7, "file_name": "b/10.jpg", "width": 40, "height": 30},
            {"id": 8, "file_name": "b/2.jpg", "width": 40, "height": 30},
        ],
        "categories": [{"id": 1, "name": "fly"}],
        "annotations": [],
        **fields,
    }
    (folder / "coco.json").write_text(json.dumps(told))
    return folder / "coco.json"


def marked(image: int, number: int, **fields: Any) -> dict[str, Any]:
    return {"id": number, "image_id": image, "category_id": 1, "segmentation": [SQUARE], **fields}


def test_pictures_of_coco_are_in_natural_order_by_folder(tmp_path: Path) -> None:
    (video,) = read_annotations("coco", coco(tmp_path, annotations=[marked(7, 1)])).videos
    assert video.name == "b" and not video.moving
    assert [frame.picture for frame in video.frames.values()] == ["b/2.jpg", "b/10.jpg"]
    assert not video.frames[2].labels().any()
    found = video.frames[10].labels()
    assert found.sum() == 100 and found[6:16, 4:14].all()


def test_tracks_of_coco_last(tmp_path: Path) -> None:
    annotations = [
        marked(7, 1, track_id=30), marked(7, 2, track_id=12),
        marked(8, 3, attributes={"track_id": 30}),
    ]  # fmt: skip
    (video,) = read_annotations("coco", coco(tmp_path, annotations=annotations)).videos
    assert video.lasting
    assert [i for i, _ in video.frames[10].objects] == [2, 1]
    assert [i for i, _ in video.frames[2].objects] == [2]


def test_run_lengths_of_coco_as_numbers_and_crowds(tmp_path: Path) -> None:
    whole = np.zeros((30, 40), bool)
    whole[6:16, 4:14] = True
    column = whole.T.reshape(-1)
    changes = np.flatnonzero(np.diff(np.concatenate([[0], column.astype(int)])))
    counts = np.diff(np.concatenate([[0], changes, [column.size]])).tolist()
    runs = {"size": [30, 40], "counts": counts}
    annotations = [marked(7, 1, segmentation=runs), marked(7, 2, iscrowd=1)]
    told = read_annotations("coco", coco(tmp_path, annotations=annotations))
    np.testing.assert_array_equal(told.videos[0].frames[10].labels() > 0, whole)
    assert told.losses == (
        "1 crowds (iscrowd), which are no object",
        "names of classes, as masks hold ids: fly",
    )


@pytest.mark.parametrize(
    ("kind", "name", "text", "words"),
    [
        ("coco", "x.json", "no json", "is not JSON"),
        ("coco", "x.json", "[]", "no list of `annotations`"),
        ("coco", "x.json", '{"annotations": [{}], "images": []}', "no COCO file that can be read"),
        ("cvat", "x.xml", "<a", "is not XML"),
        ("cvat", "x.xml", "<dataset/>", "begins with <dataset>"),
        ("cvat", "x.xml", '<annotations><track id="x"/></annotations>', "no XML of CVAT's"),
        ("labelme", "x.json", "{}", "no file of labelme's"),
        ("labelme", "x.json", "[", "is not JSON"),
    ],
)
def test_what_is_something_else_is_refused(
    tmp_path: Path, kind: str, name: str, text: str, words: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=words):
        read_annotations(kind, tmp_path / name)


@pytest.mark.parametrize("line", ["0 0.1 0.2 0.3", "0 0.1 0.1 0.5 0.5 2 3", "x 0 0 1 1", "0 a b"])
def test_lines_of_yolo_that_are_none_are_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "00000.txt").write_text(f"0 0 0 1 0 1 1\n{line}\n")
    with pytest.raises(InputError, match=r"00000\.txt, line 2: expected a class and x, y"):
        read_annotations("yolo", tmp_path)


def test_instances_of_yolo_are_objects_of_their_picture(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0 0 0 .5 0 .5 .5\n0 .6 .6 .9 .6 .9 .9\n")
    (video,) = read_annotations("yolo", tmp_path).videos
    assert not video.moving and [i for i, _ in video.frames[0].objects] == [1, 2]


CVAT = """<annotations><meta><task><name>clip.mp4</name><size>5</size><start_frame>0</start_frame>
<stop_frame>4</stop_frame><original_size><width>40</width><height>30</height></original_size></task>
</meta><track id="3" label="fly">
<polygon frame="0" outside="0" keyframe="1" points="4,6;14,6;14,16;4,16"/>
<polygon frame="2" outside="0" keyframe="1" points="8,6;18,6;18,16;8,16"/>
<polygon frame="3" outside="1" keyframe="1" points="8,6;18,6;18,16;8,16"/>
</track><track id="4" label="bee"><box frame="1" outside="0" xtl="0" ytl="0" xbr="9" ybr="9"/>
<box frame="2" outside="1" xtl="0" ytl="0" xbr="9" ybr="9"/></track>
<track id="5" label="x"><points frame="0" outside="0" points="1,1"/></track></annotations>"""


def test_polygons_of_cvat_move_between_keyframes(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(CVAT)
    told = read_annotations("cvat", tmp_path / "a.xml")
    (video,) = told.videos
    assert (video.name, sorted(video.frames)) == ("clip", [0, 1, 2, 3, 4])
    lefts = [np.flatnonzero(video.frames[t].labels().any(0)).min() for t in (0, 1, 2)]
    assert lefts == [4, 6, 8]
    assert not video.frames[3].labels().any() and not video.frames[4].labels().any()
    boxes = [shape.box(SIZE) for _, shape in video.frames[1].objects]
    assert [box.x1 for box in boxes if box] == [9]
    assert told.losses == (
        "5 shapes of the kind points that are no masks",
        "names, as masks hold ids: 1 = bee, 2 = fly",
    )


def labelme(folder: Path, *shapes: tuple[str, int, int | None], name: str = "a") -> Path:
    """A file of triangles of a label, x of the left corner, and group."""
    told = {
        "shapes": [
            {
                "label": label,
                "points": [[x, 2], [x + 5, 2], [x + 5, 8]],
                "shape_type": "polygon",
                "group_id": group,
            }
            for label, x, group in shapes
        ],
        "imagePath": f"{name}.jpg",
        "imageHeight": 30,
        "imageWidth": 40,
    }
    (folder / f"{name}.json").write_text(json.dumps(told))
    return folder


@pytest.mark.parametrize(
    ("second", "ids", "lasting", "moving", "loss"),
    [
        ([("bee", 10, None)], [2, 1], True, False, "names, as masks hold ids: 1 = bee, 2 = fly"),
        ([("fly", 10, None)], [1, 2], True, False, "names of classes, as masks hold ids: fly"),
        ([("bee", 10, 9)], [10, 9], True, False, "names, as masks hold ids: 9 = bee, 10 = fly"),
        ([("object 7", 10, None)], [8, 7], True, False, "names, as masks hold ids: 8 = fly"),
    ],
)
def test_labels_and_groups_tell_objects_apart(
    tmp_path: Path,
    second: list[tuple[str, int, int | None]],
    ids: list[int],
    lasting: bool,
    moving: bool,
    loss: str,
) -> None:
    told = read_annotations("labelme", labelme(tmp_path, ("fly", 2, None), *second))
    (video,) = told.videos
    found = video.frames[0].labels()
    assert [int(found[2, x + 2]) for x in (2, 10)] == ids
    assert (video.lasting, video.moving, told.losses) == (lasting, moving, (loss,))


def test_groups_make_a_video_of_labelmes_pictures(tmp_path: Path) -> None:
    labelme(tmp_path, ("fly", 2, 3), ("fly", 12, 3), name="00004")
    labelme(tmp_path, ("fly", 8, 3), ("fly", 20, 5), name="00009")
    (video,) = read_annotations("labelme", tmp_path).videos
    assert video.moving and list(video.frames) == [4, 9]
    first, second = (frame.labels() for frame in video.frames.values())
    assert [int(first[2, x]) for x in (4, 14)] == [3, 3], "pieces of one object"
    assert [int(second[2, x]) for x in (10, 22)] == [3, 5]


CVAT_PICTURES = """<annotations><image name="b/2.jpg" width="40" height="30">
<polygon label="fly" points="4,6;14,6;14,16;4,16"/><polygon label="fly" points="20,6;30,6;30,16"/>
<box label="bee" xtl="10" ytl="10" xbr="20" ybr="12" rotation="90"/><tag label="x"/></image>
<image name="b/10.jpg" width="40" height="30"/></annotations>"""


def test_pictures_of_cvat(tmp_path: Path) -> None:
    (tmp_path / "annotations.xml").write_text(CVAT_PICTURES)
    told = read_annotations("cvat", tmp_path)
    (video,) = told.videos
    assert (video.name, video.moving) == ("b", False)
    assert [frame.picture for frame in video.frames.values()] == ["b/2.jpg", "b/10.jpg"]
    found = video.frames[2].labels()
    assert found[10, 8] == 1 and found[7, 28] == 2 and not video.frames[10].labels().any()
    (box,) = filter(None, (shape.box(SIZE) for _, shape in video.frames[2].objects))
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((14, 6, 16, 16)), "turned upright"
    assert told.losses == (
        "1 shapes of the kind tag that are no masks",
        "names of classes, as masks hold ids: bee, fly",
    )


def test_frames_of_coco_are_those_it_says(tmp_path: Path) -> None:
    images = [
        {"id": 7, "file_name": "x/a.jpg", "width": 40, "height": 30, "video_id": 1, "frame_id": 9},
        {"id": 8, "file_name": "y/b.jpg", "width": 40, "height": 30, "video_id": 1, "frame_id": 4},
    ]
    annotations = [marked(7, 1, track_id=3), marked(8, 2, track_id=3)]
    source = coco(tmp_path, images=images, videos=[{"id": 1, "name": "dish"}])
    source.write_text(json.dumps({**json.loads(source.read_text()), "annotations": annotations}))
    (video,) = read_annotations("coco", tmp_path).videos
    assert (video.name, video.moving, sorted(video.frames)) == ("dish", True, [4, 9])
    images[0]["frame_id"] = 4
    with pytest.raises(InputError, match=r"y/b\.jpg and x/a\.jpg are both frame 4"):
        read_annotations("coco", coco(tmp_path, images=images, videos=[{"id": 1, "name": "d"}]))


def test_a_folder_of_several_files_is_ambiguous(tmp_path: Path) -> None:
    coco(tmp_path)
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "other.json").write_text("{}")
    with pytest.raises(InputError, match=r"has 2 files of \.json \(other\.json, coco\.json\)"):
        read_annotations("coco", tmp_path)


def test_masks_that_do_not_fit_are_refused() -> None:
    for runs in (
        Runs([0, 5], 0, 0, 2, 2), Runs([0, 4], 39, 0, 2, 2), Runs([0, -4, 3], 0, 0, 2, 2),
    ):  # fmt: skip
        with pytest.raises(InputError, match="run lengths of"):
            runs.mask(SIZE)


def cvat(folder: Path, *tracks: str, last: int = 4, meta: str = "") -> LabelledVideo:
    """A video of tracks, which are numbered."""
    inside = "".join(
        f'<track id="{k}" {track}</track>' if track[0] != "<" else track
        for k, track in enumerate(tracks)
    )
    (folder / "a.xml").write_text(
        f"<annotations><meta><task><start_frame>0</start_frame><stop_frame>{last}</stop_frame>"
        f"{meta}<original_size><width>40</width><height>30</height></original_size></task></meta>"
        f"{inside}</annotations>"
    )
    (video,) = read_annotations("cvat", folder / "a.xml").videos
    return video


def square(frame: int, x: int, more: str = 'outside="0"') -> str:
    corners = f"{x},4;{x + 8},4;{x + 8},12;{x},12"
    return f'<polygon frame="{frame}" {more} points="{corners}"/>'


def test_shapes_of_one_label_in_one_frame_of_cvat_are_two(tmp_path: Path) -> None:
    def shape(frame: int, x: int) -> str:
        ended = square(frame + 1, x, 'outside="1"')
        return f'label="fly">{square(frame, x)}{ended}'

    video = cvat(tmp_path, shape(0, 2), shape(0, 20))
    assert [i for i, _ in video.frames[0].objects] == [1, 2] and video.lasting
    assert not video.frames[1].objects
    again = cvat(tmp_path, shape(0, 2), shape(0, 20), shape(2, 2), shape(2, 20))
    assert not again.lasting and again.moving, "nothing says which is which in frame 2"
    one = cvat(tmp_path, shape(0, 2), shape(2, 20))
    assert one.lasting and [i for i, _ in one.frames[2].objects] == [1]


def test_frames_that_a_task_of_cvat_leaves_out_have_no_masks(tmp_path: Path) -> None:
    track = f'label="fly">{square(0, 2)}{square(10, 12)}'
    video = cvat(tmp_path, track, last=12, meta="<frame_filter>step=5</frame_filter>")
    assert sorted(video.frames) == [0, 5, 10]
    assert np.flatnonzero(video.frames[5].labels().any(0)).min() == 7


def test_a_shape_before_the_last_frame_of_cvat_is_there_once(tmp_path: Path) -> None:
    video = cvat(tmp_path, f'label="fly">{square(3, 2)}', f'label="bee">{square(1, 20)}')
    assert [sorted({i for i, _ in video.frames[t].objects}) for t in range(5)] == [
        [], [1], [1], [1, 2], [1],
    ]  # fmt: skip


def test_what_lies_higher_in_cvat_is_on_top(tmp_path: Path) -> None:
    above, below = "z_order='5'", "z_order='0'"
    upper = f'label="a">{square(0, 2, above)}{square(1, 2, above)}'
    lower = f'label="b">{square(0, 4, below)}{square(1, 4, below)}'
    found = cvat(tmp_path, upper, lower, last=1).frames[0].labels()
    assert found[6, 6] == 1 and found[6, 11] == 2


def test_tasks_of_a_project_are_refused(tmp_path: Path) -> None:
    tracks = [f'<track id="{k}" task_id="{k}" label="x">{square(0, 2)}</track>' for k in (1, 2)]
    with pytest.raises(InputError, match="several tasks; export them one by one"):
        cvat(tmp_path, *tracks)


def test_a_job_of_cvat_has_its_own_frames(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(
        "<annotations><meta><job><start_frame>4</start_frame><stop_frame>6</stop_frame>"
        f'</job></meta><track id="0" label="x">{square(4, 2)}</track></annotations>'
    )
    (video,) = read_annotations("cvat", tmp_path / "a.xml").videos
    assert sorted(video.frames) == [4, 5, 6]


def test_ellipses_and_polygons_of_two_corners(tmp_path: Path) -> None:
    ellipse = '<ellipse frame="0" cx="20" cy="15" rx="10" ry="4" rotation="90"/>'
    (tmp_path / "a.xml").write_text(
        f'<annotations><track id="0" label="x">{ellipse}</track>'
        '<track id="1" label="y"><polygon frame="0" points="1,1;5,5"/></track></annotations>'
    )
    told = read_annotations("cvat", tmp_path / "a.xml")
    rows, columns = np.nonzero(told.videos[0].frames[0].labels(SIZE))
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (16, 24, 5, 25)
    assert told.losses[0] == "1 shapes of the kind polygon that are no masks"


@pytest.mark.parametrize(("every", "attributes"), [(True, False), (False, True)])
def test_masks_that_cvat_calls_crowds_are_objects(
    tmp_path: Path, every: bool, attributes: bool
) -> None:
    more = {"attributes": {"occluded": False}} if attributes else {}
    annotations = [marked(7, 1, iscrowd=1, **more)]
    annotations += [] if every else [marked(8, 2, **more)]
    told = read_annotations("coco", coco(tmp_path, annotations=annotations))
    assert told.videos[0].frames[10].labels().any() and len(told.losses) == 1


@pytest.mark.parametrize("counts", [[100, 20], [1190, 20], [-5, 1205], "abc"])
def test_run_lengths_that_do_not_fill_a_picture_are_refused(tmp_path: Path, counts: Any) -> None:
    annotations = [marked(7, 1, segmentation={"size": [30, 40], "counts": counts})]
    (video,) = read_annotations("coco", coco(tmp_path, annotations=annotations)).videos
    with pytest.raises(InputError, match=r"In b/10\.jpg a segmentation cannot be read"):
        video.frames[10].labels()


def coco_video(folder: Path, ids: list[int], count: int = 1) -> Annotations:
    runs = {"size": [30, 40], "counts": [0, 1200]}
    told = {
        "videos": [
            {"id": k, "name": f"v{k}", "width": 40, "height": 30, "file_names": ["0.jpg"]}
            for k in range(count)
        ],
        "annotations": [
            {"id": i, "video_id": k, "segmentations": [runs]} for k in range(count) for i in ids
        ],
    }
    (folder / "coco.json").write_text(json.dumps(told))
    return read_annotations("coco", folder / "coco.json")


@pytest.mark.parametrize(
    ("ids", "found"), [([3, 300], [3, 300]), ([0, 1], [1, 2]), ([100000, 7], [1, 2])]
)
def test_ids_of_a_video_that_no_mask_can_hold_are_numbered(
    tmp_path: Path, ids: list[int], found: list[int]
) -> None:
    (video,) = coco_video(tmp_path, ids).videos
    assert [i for i, _ in video.frames[0].objects] == found


def test_tracks_are_numbered_in_each_video(tmp_path: Path) -> None:
    told = coco_video(tmp_path, [7, 9], count=3)
    assert [[i for i, _ in v.frames[0].objects] for v in told.videos] == [[1, 2]] * 3
    images = [{"id": k, "file_name": f"{k}/a.jpg", "width": 40, "height": 30} for k in range(300)]
    annotations = [marked(k, k, track_id=f"t{k}") for k in range(300)]
    found = read_annotations("coco", coco(tmp_path, images=images, annotations=annotations))
    assert {i for v in found.videos for i, _ in v.frames[0].objects} == {1}
    assert all(video.moving for video in found.videos)


def test_what_coco_says_of_nothing_is_counted(tmp_path: Path) -> None:
    annotations = [
        marked(7, 1), marked(99, 2),
        {"id": 3, "image_id": 8, "category_id": 1, "keypoints": [1, 2, 2]},
        marked(7, 4, segmentation=[[1, 2, 3, 4]], bbox=[1, 2, 3, 4]),
    ]  # fmt: skip
    told = read_annotations("coco", coco(tmp_path, annotations=annotations))
    assert told.losses[:2] == (
        "1 annotations whose image_id the file does not list",
        "1 annotations without an outline or a box, as key points are",
    )
    boxes = [shape.box(SIZE) for _, shape in told.videos[0].frames[10].objects]
    assert [box is None for box in boxes] == [True, False]
    with pytest.raises(InputError, match=r"lists no image_id that annotations have, as 99"):
        read_annotations("coco", coco(tmp_path, annotations=[marked(99, 2)]))


def test_sizes_may_be_missing(tmp_path: Path) -> None:
    images = [{"id": 7, "file_name": "C:\\x\\a.jpg", "width": None}]
    told = read_annotations("coco", coco(tmp_path, images=images, annotations=[marked(7, 1)]))
    (frame,) = told.videos[0].frames.values()
    assert frame.picture == "/x/a.jpg" and frame.size is None
    assert frame.labels(SIZE).sum() == 100


def test_groups_that_only_tie_pieces_together(tmp_path: Path) -> None:
    labelme(tmp_path, ("cat", 2, 1), ("cat", 10, 1), ("dog", 20, 1), name="a")
    labelme(tmp_path, ("dog", 2, 1), name="b")
    (video,) = read_annotations("labelme", tmp_path).videos
    assert not video.lasting and not video.moving
    assert [i for i, _ in video.frames[0].objects] == [1, 1, 2]
    (tmp_path / "b.json").unlink()
    labelme(tmp_path, ("cat", 2, 1), ("cat", 10, 2), name="a")
    (alone,) = read_annotations("labelme", tmp_path).videos
    assert not alone.moving, "no group recurs"


def test_names_that_are_not_all_numbers_are_places(tmp_path: Path) -> None:
    for name in ("a", "1", "01", "2"):
        labelme(tmp_path, ("fly", 2, None), name=name)
    (video,) = read_annotations("labelme", tmp_path).videos
    assert sorted(video.frames) == [0, 1, 2, 3]
    assert len({frame.picture for frame in video.frames.values()}) == 4


def test_masks_of_labelme(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.eye(4, 6, dtype=np.uint8)).save(buffer, "PNG")
    text = base64.b64encode(buffer.getvalue()).decode()
    shapes = [
        {"label": "x", "shape_type": "mask", "points": [[37, -1], [42, 2]], "mask": text},
        {"label": "y", "shape_type": "circle", "points": [[10, 10], [14, 10]]},
    ]
    told = {"shapes": shapes, "imagePath": "..\\p\\a.jpg", "imageHeight": 30, "imageWidth": 40}
    (tmp_path / "a.json").write_text(json.dumps(told), encoding="utf-8-sig")
    (video,) = read_annotations("labelme", tmp_path / "a.json").videos
    assert video.frames[0].picture == "../p/a.jpg"
    found = video.frames[0].labels()
    assert np.argwhere(found == 1).tolist() == [[0, 38], [1, 39]]
    assert (found == 2).sum() == pytest.approx(np.pi * 4.5**2, rel=0.1)


@pytest.mark.parametrize(
    "change",
    [
        {"shapes": None}, {"shapes": [{"label": "x"}]},
        {"shapes": [{"points": [[1, 2], [3, 4], [5, 9]]}]},
        {"shapes": [{"label": "x", "points": [[1, 2, 3]]}]},
        {"shapes": [{"label": "x", "points": [[1, None], [3, 4], [5, 6]]}]},
        {"imageHeight": "tall"},
    ],
)  # fmt: skip
def test_files_of_labelme_that_make_no_sense_are_refused(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    told = {"shapes": [], "imagePath": "a.jpg", "imageHeight": 30, "imageWidth": 40, **change}
    (tmp_path / "a.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match=r"a\.json is no file of labelme's"):
        read_annotations("labelme", tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "names: ['cat', \"object 7\"]\n", "nc: 2\nnames:\n  - cat\n  - object 7\nkpt:\n  0: x\n",
        "kpt:\n  1: x\nnames:\n  0: cat\n  1: 'object 7'\n", "names: {0: cat, 1: object 7}\n",
        "names: [cat,\n  object 7,\n]\ntrain: x\n", "names:\n- cat\n- object 7\n",
    ],
)  # fmt: skip
def test_names_of_yolo_in_every_spelling(tmp_path: Path, text: str) -> None:
    (tmp_path / "set.yml").write_text(text)
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 0 0 1 0 1 1\n1 0 0 1 0 1 1\n")
    told = read_annotations("yolo", tmp_path)
    assert [i for i, _ in told.videos[0].frames[0].objects] == [8, 7]
    assert told.losses == ("names, as masks hold ids: 8 = cat",)


def test_what_lies_beside_labels_of_yolo_is_no_label(tmp_path: Path) -> None:
    for part in ("train", "valid"):
        (tmp_path / part / "labels").mkdir(parents=True)
        (tmp_path / part / "labels" / "a.txt").write_text("0 0 0 1 0 1 1\n")
    (tmp_path / "train/labels/classes.txt").write_text("cat\n")
    (tmp_path / "README.roboflow.txt").write_text("words\n")
    told = read_annotations("yolo", tmp_path)
    assert [(v.name, v.frames[0].picture) for v in told.videos] == [
        ("train", "train/images/a"), ("valid", "valid/images/a"),
    ]  # fmt: skip
