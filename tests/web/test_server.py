"""What the page asks for: frames, masks, runs, downloads, projects that go on."""

import io
import json
import threading
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from masktrail.errors import InputError
from masktrail.export import WRITERS
from masktrail.masks import read_labels
from masktrail.prompts.kinds import Box, Points
from masktrail.run import track
from masktrail.video import open_video
from masktrail.web import project, tracking
from masktrail.zoo import CARDS
from painted_videos import paint_clip, write_video
from visitor import Enter, begin_and_stand_still, marked, wait

BOX = [62, 22, 86, 44]
"""Around the first disc in frame 0."""


def picture(answer: Any) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"))


def test_cuts_are_told_also_when_opened_again(opened: Any, videos: Path, enter: Enter) -> None:
    shot = paint_clip(8, (96, 64)).images
    write_video(videos / "film.mp4", np.concatenate([shot, 255 - shot[:, ::-1]]), tone=None)
    opened.post("/api/open", json={"path": str(videos / "film.mp4")})
    opened.put("/api/mark", json=marked(box=BOX, settings={"model": "copy"}))
    opened.post("/api/run")
    assert wait(opened, "run", "done", "failed")["cuts"] == [8]
    client = enter()
    client.post("/api/open", json={"project": "film"})
    assert client.get("/api/run").json()["cuts"] == [8]


def test_every_frame_is_there(opened: Any, videos: Path) -> None:
    state = opened.get("/api/state").json()["open"]
    assert (state["video"]["width"], state["video"]["height"]) == (96, 64)
    for frame in open_video(videos / "clip.mp4"):
        shown = picture(opened.get(f"/api/frames/{frame.index}"))[..., :3]
        assert np.abs(shown.astype(int) - frame.image).mean() < 6  # JPEG
    assert "no frame 16" in opened.get("/api/frames/16").json()["detail"]
    assert opened.get("/api/frames/x").status_code == 422


def test_a_mark_is_seen_at_once_in_its_colour(opened: Any) -> None:
    assert opened.get("/api/labels/0").status_code == 204
    opened.put("/api/mark", json=marked(box=BOX))
    answer = opened.get("/api/labels/0")
    shown = picture(answer)
    assert answer.headers["x-source"] == "marks" and answer.headers["x-objects"] == "1"
    assert 100 < (shown[..., 3] > 0).sum() < 900
    assert set(map(tuple, shown[shown[..., 3] > 0])) == {(0x12, 0xAB, 0x34, 255)}
    alone = picture(opened.get("/api/labels/0/1"))
    np.testing.assert_array_equal(alone[..., 3], shown[..., 3])
    assert opened.get("/api/labels/0/2").status_code == 204


def test_a_painted_mask_is_taken_as_it_is(opened: Any) -> None:
    mask = np.zeros((64, 96), np.uint8)
    mask[20:40, 30:50] = 255
    content = io.BytesIO()
    Image.fromarray(mask).save(content, "PNG")
    name = opened.post("/api/masks", content=content.getvalue()).json()["name"]
    assert opened.put("/api/mark", json=marked(mask=name)).status_code == 200
    np.testing.assert_array_equal(picture(opened.get("/api/labels/0"))[..., 3], mask)


def test_tracking_is_what_the_command_line_does(
    opened: Any, videos: Path, allowed: Any, tmp_path: Path
) -> None:
    """The same marks, the same masks: a box, and clicks on two later frames."""
    mark = marked(box=BOX)
    mark["objects"].append({"id": 2, "name": "b", "color": "#0000ff"})
    mark["prompts"]["6"] = {"2": {"box": None, "points": [[20, 34, True]], "mask": None}}
    mark["prompts"]["9"] = {"1": {"box": None, "points": [[40, 45, True]], "mask": None}}
    opened.put("/api/mark", json=mark)
    assert opened.post("/api/run").json()["state"] in ("loading", "running")
    told = wait(opened, "run", "done", "failed")
    assert told["state"] == "done", told
    assert not told["stale"] and told["next"] == 16
    assert [frame for frame, _ in told["scores"]] == list(range(16))
    assert told["review"] and set(told["scores"][9][1]) == {"1", "2"}

    prompts = {
        0: {1: Box(*BOX)},
        6: {2: Points([(20, 34)], [True])},
        9: {1: Points([(40, 45)], [True])},
    }
    track(videos / "clip.mp4", prompts, tmp_path / "cli", export="davis,csv")
    for frame in range(16):
        name = f"masks/{frame:05d}.png"
        ours = allowed.projects / "clip" / "runs" / "0001" / name
        assert ours.read_bytes() == (tmp_path / "cli" / name).read_bytes()
        labels, answer = read_labels(ours)[0], opened.get(f"/api/labels/{frame}")
        if labels.any():
            np.testing.assert_array_equal(picture(answer)[..., 3] > 0, labels > 0)
        else:  # the clicks are on the same disc, and contradict each other
            assert answer.status_code == 204


def test_a_correction_is_what_was_seen_when_it_was_clicked(opened: Any) -> None:
    """Clicks go out from the mask that was tracked at the time, and are as seen once it is tracked
    anew, also where more of them come later."""

    def click(*points: list[Any]) -> str | None:
        prompt = {"box": None, "points": points, "mask": None}
        mark["prompts"]["10"] = {"1": prompt} if points else {}
        assert opened.put("/api/mark", json=mark).status_code == 200
        kept = opened.get("/api/state").json()["open"]["mark"]["prompts"]["10"]
        return kept["1"].get("corrects") if points else None

    def seen() -> bytes:
        return opened.get("/api/labels/10").content

    mark = marked(box=BOX)
    opened.put("/api/mark", json=mark)
    opened.post("/api/run")
    assert wait(opened, "run", "done", "failed")["state"] == "done"
    tracked = seen()
    on = [5, 5, True]
    first = click(on)
    previewed = seen()
    assert first and previewed != tracked
    opened.post("/api/run")
    assert wait(opened, "run", "done", "failed")["state"] == "done"
    assert opened.get("/api/labels/10").headers["x-source"] == "run"
    assert seen() == previewed
    assert click(on, [90, 60, True]) == first
    assert seen() != previewed
    assert click(on) == first
    assert seen() == previewed and not opened.get("/api/run").json()["stale"]
    click()
    assert seen() == previewed, "tracked, since nothing is marked there"
    assert click(on) == first and not opened.get("/api/run").json()["stale"], "undone"
    click()
    assert click([6, 6, True]) not in (None, first), "of what is seen now"


def test_clicks_of_an_object_that_is_marked_nowhere_else_mark_it_anew(opened: Any) -> None:
    """Whatever was tracked under its number."""
    opened.put("/api/mark", json=marked(box=BOX))
    opened.post("/api/run")
    assert wait(opened, "run", "done", "failed")["state"] == "done"
    mark = marked(10, points=[[50, 40, True]])
    assert opened.put("/api/mark", json=mark).status_code == 200
    kept = opened.get("/api/state").json()["open"]["mark"]["prompts"]["10"]["1"]
    assert "corrects" not in kept


def test_clicks_set_before_anything_was_tracked_stay_as_they_are(opened: Any) -> None:
    """Also when a name changes; one more goes out from what is seen."""
    mark = marked(box=BOX)
    prompt = {"box": None, "points": [[5, 5, True]], "mask": None}
    mark["prompts"]["10"] = {"1": prompt}
    opened.put("/api/mark", json=mark)
    opened.post("/api/run")
    assert wait(opened, "run", "done", "failed")["state"] == "done"
    tracked = opened.get("/api/labels/10").content
    mark["objects"][0]["name"] = "other"
    opened.put("/api/mark", json=mark)
    assert not opened.get("/api/run").json()["stale"]
    mark["prompts"]["0"]["1"]["box"] = [60, 22, 86, 44]
    opened.put("/api/mark", json=mark)
    answer = opened.get("/api/labels/10")
    assert answer.headers["x-source"] == "both"
    assert answer.content == tracked, "clicks that what was tracked holds already"
    prompt["points"].append([90, 60, True])
    opened.put("/api/mark", json=mark)
    kept = opened.get("/api/state").json()["open"]["mark"]["prompts"]["10"]["1"]
    assert kept["corrects"]


def test_a_pause_a_correction_and_on(
    opened: Any, allowed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.put("/api/mark", json=marked(box=BOX))
    with monkeypatch.context() as patch:
        begin_and_stand_still(opened, patch)
        paused = opened.post("/api/run/pause").json()
    assert paused["state"] == "paused" and 3 <= paused["next"] < 16
    assert "Tracking goes on" not in opened.post("/api/export", json={"exports": ["csv"]}).text
    wait(opened, "export", "done", "failed")

    opened.post("/api/run")  # as it was: goes on
    told = wait(opened, "run", "done", "failed")
    assert (told["state"], told["next"], told["version"]) == ("done", 16, 1)

    mark = marked(box=BOX)
    mark["prompts"]["10"] = {"1": {"box": None, "points": [[5, 5, False]], "mask": None}}
    opened.put("/api/mark", json=mark)
    assert opened.get("/api/run").json()["stale"]
    assert opened.get("/api/labels/3").headers["x-source"] == "run"
    assert opened.get("/api/labels/10").headers["x-source"] == "both"
    opened.post("/api/run")
    assert opened.get("/api/labels/15").status_code == 200  # what was there is still shown
    told = wait(opened, "run", "done", "failed")
    assert (told["state"], told["version"], told["stale"]) == ("done", 2, False)
    assert sorted(p.name for p in (allowed.projects / "clip" / "runs").iterdir()) == [
        "0001",
        "0002",
    ]


def test_another_server_goes_on_where_one_stopped(
    enter: Enter, videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marks and masks are there again, and a paused run is gone on with."""
    first = enter()
    first.post("/api/open", json={"path": str(videos / "clip.mp4")})
    mark = marked(box=BOX)
    first.put("/api/mark", json=mark)
    with monkeypatch.context() as patch:
        begin_and_stand_still(first, patch)
        first.post("/api/close")
    second = enter()
    assert second.get("/api/state").json()["projects"][0]["name"] == "clip"
    state = second.post("/api/open", json={"path": str(videos / "clip.mp4")}).json()
    assert state["open"]["name"] == "clip" and state["open"]["mark"] == mark
    assert state["run"]["state"] == "paused" and state["run"]["next"] >= 3
    second.post("/api/run")
    told = wait(second, "run", "done", "failed")
    assert (told["state"], told["next"], told["version"]) == ("done", 16, 1)
    third = enter()
    state = third.post("/api/open", json={"project": "clip"}).json()
    assert (state["run"]["state"], state["run"]["next"]) == ("done", 16)


def test_what_is_done_can_be_exported_at_once(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while the thread that tracked has not ended yet."""
    real, going_on = tracking.Tracking._run, threading.Event()

    def run(self: Any, job: Any) -> None:
        real(self, job)
        going_on.wait(60)

    monkeypatch.setattr(tracking.Tracking, "_run", run)
    opened.put("/api/mark", json=marked(box=BOX))
    opened.post("/api/run")
    wait(opened, "run", "done", "failed")
    assert opened.post("/api/export", json={"exports": ["csv"]}).status_code == 200
    assert wait(opened, "export", "done", "failed")["state"] == "done"
    going_on.set()


def test_a_paused_run_of_other_weights_begins_anew(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an update that brings a model's next weights."""
    opened.put("/api/mark", json=marked(box=BOX))
    with monkeypatch.context() as patch:
        begin_and_stand_still(opened, patch)
        opened.post("/api/run/pause")
    assert not opened.get("/api/run").json()["stale"]
    newer = replace(CARDS["memory-s"], files={"memory-s.safetensors": "0" * 64})
    monkeypatch.setattr(project, "CARDS", {**CARDS, "memory-s": newer})
    assert opened.get("/api/run").json()["stale"]
    opened.post("/api/run")
    told = wait(opened, "run", "done", "failed")
    assert (told["state"], told["next"], told["version"]) == ("done", 16, 2)


def test_a_model_is_told_its_own_settings(opened: Any, allowed: Any) -> None:
    told = {one["name"]: one for one in opened.get("/api/settings?model=unet").json()}
    defaults = {name: told[name]["default"] for name in ("view", "side", "mirror")}
    assert defaults == {"view": "object", "side": "192", "mirror": "true"}, "its card's"
    assert told["view"]["choices"] == ["frame", "square", "object"]
    assert told["mirror"]["choices"] == ["true", "false"]
    assert told["margin"]["expected"] == "a number, 1 or more" and not told["margin"]["choices"]
    assert opened.get("/api/settings?model=copy").json() == []
    assert "no model 'nothing'" in opened.get("/api/settings?model=nothing").json()["detail"]

    assert opened.put("/api/mark", json=marked(box=BOX)).status_code == 200
    for own, sentence in (
        ({"view": "frame"}, "The model memory-s has no setting 'view'; it has capacity, every"),
        ({"capacity": "none"}, "capacity = 'none' is not possible for the model memory-s"),
    ):
        answer = opened.put("/api/mark", json=marked(settings={"own": own}, box=BOX))
        assert answer.status_code == 400 and sentence in answer.json()["detail"]
    assert opened.get("/api/state").json()["open"]["mark"]["settings"]["own"] == {}
    opened.post("/api/run")
    assert wait(opened, "run", "done", "failed")["state"] == "done"
    own = {"capacity": "1", "min_score": "0.5"}
    opened.put("/api/mark", json=marked(settings={"own": own}, box=BOX))
    assert opened.get("/api/run").json()["stale"], "other settings, other masks"
    same = {"every": "3", "top_k": "030"}
    opened.put("/api/mark", json=marked(settings={"own": same}, box=BOX))
    assert not opened.get("/api/run").json()["stale"], "as they are anyhow"
    opened.put("/api/mark", json=marked(settings={"own": own}, box=BOX))
    opened.post("/api/run")
    assert wait(opened, "run", "done", "failed")["version"] == 2
    (record,) = allowed.projects.glob("*/runs/0002/run.json")
    settings = json.loads(record.read_text())["arguments"]["settings"]
    expected = {"capacity": 1, "every": 3, "top_k": 30, "min_score": 0.5, "adapt": 0.0}
    assert settings == expected


def test_backward_alone(opened: Any) -> None:
    opened.put("/api/mark", json=marked(8, {"direction": "backward"}, box=[36, 8, 60, 32]))
    opened.post("/api/run")
    told = wait(opened, "run", "done", "failed")
    assert told["state"] == "done" and [frame for frame, _ in told["scores"]] == list(range(9))


def test_a_page_of_another_project_changes_nothing(opened: Any, videos: Path) -> None:
    key = opened.get("/api/state").json()["open"]["key"]
    opened.post("/api/close")
    opened.post("/api/open", json={"path": str(videos / "clip.mp4")})
    for answer in (
        opened.put(f"/api/mark?k={key}", json=marked(box=BOX)),
        opened.post(f"/api/run?k={key}"),
        opened.post(f"/api/run/pause?k={key}"),
        opened.post(f"/api/close?k={key}"),
        opened.post(f"/api/export?k={key}", json={"exports": ["csv"]}),
        opened.post(f"/api/masks?k={key}", content=b""),
        opened.get(f"/api/frames/0?k={key}"),
    ):
        assert answer.status_code == 400 and "another window" in answer.json()["detail"]


def test_nothing_marked_and_nothing_open(opened: Any) -> None:
    assert "Nothing is marked yet" in opened.post("/api/run").json()["detail"]
    assert "Nothing is tracked yet" in opened.post("/api/export", json={"exports": ["csv"]}).text
    opened.post("/api/close")
    for path in ("/api/run", "/api/frames/0", "/api/labels/0", "/api/export"):
        assert "No video is open" in opened.get(path).json()["detail"]


def test_a_box_is_tracked_by_siammask(opened: Any) -> None:
    """What is tracked in the frame that was marked is what its preview shows."""
    opened.put("/api/mark", json=marked(box=BOX, settings={"model": "siammask"}))
    shown = picture(opened.get("/api/labels/0"))
    opened.post("/api/run")
    assert wait(opened, "run", "done", "failed")["state"] == "done"
    np.testing.assert_array_equal(picture(opened.get("/api/labels/0")), shown)
    assert opened.get("/api/labels/9").status_code == 200


def test_a_run_that_fails_says_why(opened: Any, videos: Path) -> None:
    for model in ("nothing-of-the-kind", str(Path(__file__).parent)):
        answer = opened.put("/api/mark", json=marked(0, {"model": model}, box=BOX))
        assert answer.status_code == 400 and "There is no model" in answer.json()["detail"]
    (videos / "mine").mkdir()
    opened.put("/api/mark", json=marked(0, {"model": str(videos / "mine")}, box=BOX))
    opened.post("/api/run")
    told = wait(opened, "run", "done", "failed")
    assert told["state"] == "failed" and "There is no model" in told["message"]
    opened.put("/api/mark", json=marked(box=BOX))
    opened.post("/api/run")
    assert wait(opened, "run", "done", "failed")["state"] == "done"


@pytest.mark.slow
def test_runs_that_fail_cost_no_masks(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opened.put("/api/mark", json=marked(box=BOX))
    opened.post("/api/run")
    assert wait(opened, "run", "done", "failed")["state"] == "done"
    before = opened.get("/api/labels/5").content

    def fail(*how: object, **named: object) -> None:
        raise InputError("no luck")

    monkeypatch.setattr(tracking, "track_video", fail)
    for version, every in enumerate("245", start=2):
        opened.put("/api/mark", json=marked(settings={"own": {"every": every}}, box=BOX))
        opened.post("/api/run")
        assert wait(opened, "run", "done", "failed")["version"] == version
        assert opened.get("/api/labels/5").content == before


def test_every_export_can_be_downloaded(opened: Any, allowed: Any) -> None:
    pytest.importorskip("pycocotools")
    pytest.importorskip("cv2")
    opened.put("/api/mark", json=marked(box=BOX))
    opened.post("/api/run")
    wait(opened, "run", "done")
    told = opened.post("/api/export", json={"exports": list(WRITERS)}).json()
    told = wait(opened, "export", "done", "failed")
    assert told["state"] == "done", told
    assert [file["export"] for file in told["files"]] == list(WRITERS)
    for file in told["files"]:
        answer = opened.get(f"/api/export/{file['export']}")
        assert answer.status_code == 200 and len(answer.content) == file["bytes"]
        assert f'filename="{file["name"]}"' in answer.headers["content-disposition"]
    masks = zipfile.ZipFile(io.BytesIO(opened.get("/api/export/davis").content))
    assert len(masks.namelist()) == 16
    run = allowed.projects / "clip" / "runs" / "0001"
    assert masks.read("masks/00003.png") == (run / "masks" / "00003.png").read_bytes()
    assert json.loads(opened.get("/api/export/coco").content)["videos"]
    assert "not made yet" in opened.get("/api/export/nothing").json()["detail"]
    assert "No export x" in opened.post("/api/export", json={"exports": ["x"]}).json()["detail"]


def test_an_upload_becomes_a_project_with_its_video_inside(
    client: Any, videos: Path, allowed: Any
) -> None:
    content = (videos / "clip.mp4").read_bytes()
    for name in ("clip", "clip-2"):
        state = client.post("/api/upload?name=../../clip.mp4", content=content).json()
        assert state["open"]["name"] == name
        assert (allowed.projects / name / "clip.mp4").read_bytes() == content
    (allowed.projects / "clip").rename(allowed.projects / "moved")
    assert client.post("/api/open", json={"project": "moved"}).status_code == 200


def test_browsing_shows_folders_and_videos(client: Any, videos: Path, picture_folder: Path) -> None:
    (videos / "more").mkdir()
    (videos / ".hidden").mkdir()
    picture_folder.rename(videos / "pictures")
    assert client.get("/api/files").json()["entries"][0]["path"] == str(videos)
    told = client.get("/api/files", params={"path": str(videos)}).json()
    kinds = {entry["name"]: entry["kind"] for entry in told["entries"]}
    assert kinds == {"more": "folder", "pictures": "video", "clip.mp4": "video"}
    state = client.post("/api/open", json={"path": str(videos / "pictures")}).json()
    assert state["open"]["frames"] == 12 and state["open"]["counted"]
    assert client.get("/api/files", params={"path": str(videos / "more")}).json()["parent"]


def test_the_demo_clip(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from masktrail.web import session

    monkeypatch.setattr(session, "render_demo", lambda folder: _short_demo(folder))
    for _ in range(2):
        state = client.post("/api/open", json={"demo": True}).json()
        assert state["open"]["name"] == "demo" and state["open"]["video"]["name"] == "demo.mp4"


def _short_demo(folder: Path) -> Path:
    from masktrail.demo import render_demo

    return render_demo(folder, 3, (96, 64))
