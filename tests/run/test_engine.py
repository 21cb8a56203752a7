"""What computed a run is written down, and what goes on with it or corrects it does likewise."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest

from masktrail.devices import choose_device, has_fast_bfloat16
from masktrail.prompts.kinds import Mask
from masktrail.run import loop, track
from masktrail.run.folder import RunFolder
from masktrail.run.identity import REQUIRED, as_recorded, modern
from masktrail.run.job import Job
from masktrail.run.journal import Journal
from masktrail.run.loop import track_video
from masktrail.run.rows import OtherRun
from masktrail.settings import ModelOptions
from masktrail.zoo import load
from watched_runs import Stopped, masks_of, stop_after


@pytest.fixture
def model(exported_memory):
    """A network with graphs."""
    return exported_memory


@pytest.fixture
def prompts(discs):
    return {i: Mask(discs.labels[0] == i) for i in (1, 2)}


@pytest.mark.parametrize("engine", ["auto", "openvino", "onnxruntime", "torch"])
def test_a_run_goes_on_bit_for_bit_by_the_engine_that_began_it(
    video, model, prompts, tmp_path, monkeypatch, engine
) -> None:
    monkeypatch.setattr(loop, "KEPT_EVERY", 4)
    whole, out = tmp_path / "whole", tmp_path / "out"
    track(video, prompts, whole, model, "davis", size=64, engine=engine)
    with pytest.raises(Stopped):
        track(
            video, prompts, out, model, "davis", 64, stop_after(10), engine=engine, overwrite=True
        )
    track(video, prompts, out, model, "davis", size=64, resume=True)
    assert masks_of(out) == masks_of(whole)
    recorded = json.loads((out / "run.json").read_text())["arguments"]["engine"]
    assert recorded == ("openvino" if engine == "auto" else engine)


def test_another_engine_is_another_run(video, model, prompts, tmp_path) -> None:
    with pytest.raises(Stopped):
        track(video, prompts, tmp_path, model, "davis", 64, stop_after(5), engine="torch")
    with pytest.raises(OtherRun, match=r"another engine \(torch, now openvino\)"):
        track(video, prompts, tmp_path, model, "davis", size=64, engine="openvino", resume=True)


NOW = {"weights": "a", "device": "cpu", "engine": "openvino", "precision": "int8"}
BEFORE = {"weights": "a", "device": "cuda:0", "engine": "torch", "precision": "bfloat16"}


@pytest.mark.parametrize(
    "asked", [{}, {"device": "cuda"}, {"engine": "torch"}, {"precision": "bfloat16"}]
)
def test_all_that_computed_a_run_is_taken_over(asked) -> None:
    options = as_recorded(ModelOptions(**asked), NOW, BEFORE)
    assert (options.device, options.engine, options.precision) == ("cuda:0", "torch", "bfloat16")


@pytest.mark.parametrize(
    ("asked", "recorded"),
    [
        ({}, NOW),
        ({}, {**BEFORE, "weights": "b"}),
        ({}, {}),
        ({"device": "cpu"}, BEFORE),
        ({"engine": "onnxruntime"}, BEFORE),
        ({"precision": "float"}, BEFORE),
    ],
)
def test_or_nothing_where_something_else_was_asked_for(asked, recorded) -> None:
    assert as_recorded(ModelOptions(**asked), NOW, recorded) is None


def test_a_run_of_before_there_were_engines_was_computed_by_torch() -> None:
    about = {
        "identity": {
            **dict.fromkeys(REQUIRED, 0),
            **{"weights": "a", "device": "cpu", "precision": "float"},
        },
        "source": "clip.mp4",
        "repeatable": True,
    }
    floats = "bfloat16" if has_fast_bfloat16(choose_device("cpu")) else "float"
    identity = modern(about)["identity"]
    assert (identity["engine"], identity["precision"]) == ("torch", floats)
    about["identity"]["precision"] = "int8"
    assert modern(about)["identity"]["precision"] == "int8"
    about["identity"]["weights"] = None
    assert "engine" not in modern(about)["identity"]


def test_a_run_that_cannot_be_computed_here_as_it_was_is_told_of(
    discs, video, model, prompts, tmp_path
) -> None:
    moved = shutil.copytree(model, tmp_path / "model")
    with pytest.raises(Stopped):
        track(video, prompts, tmp_path / "out", moved, "davis", 64, stop_after(5))
    for path in moved.glob("*.onnx"):
        path.unlink()
    with pytest.raises(OtherRun, match=r"computed by openvino on cpu in .*, which is not possible"):
        track(video, prompts, tmp_path / "out", moved, "davis", size=64, resume=True)
    options = ModelOptions(moved, size=64)
    track_video(Job(video, prompts, tmp_path / "new", options, "davis", like=tmp_path / "out"))
    assert RunFolder(tmp_path / "new").identity()["engine"] == "torch"
    job = Job(video, prompts, tmp_path / "out", options, "davis", resume=True, overwrite=True)
    assert track_video(job).frames == len(discs.images)
    assert RunFolder(tmp_path / "out").identity()["engine"] == "torch"


def test_other_graphs_of_the_same_weights_are_another_run(video, model, prompts, tmp_path) -> None:
    changed = shutil.copytree(model, tmp_path / "model")
    with pytest.raises(Stopped):
        track(video, prompts, tmp_path / "out", changed, "davis", 64, stop_after(5))
    graph = onnx.load(changed / "weights.lift.onnx", load_external_data=False)
    graph.producer_version = "another"
    onnx.save(graph, changed / "weights.lift.onnx")
    with pytest.raises(OtherRun, match="of another graphs"):
        track(video, prompts, tmp_path / "out", changed, "davis", size=64, resume=True)


def test_a_run_of_other_prompts_is_not_taken_for_this_one(video, model, prompts, tmp_path) -> None:
    with pytest.raises(Stopped):
        track(video, prompts, tmp_path, model, "davis", 64, stop_after(5), engine="torch")
    options = ModelOptions(model, size=64)
    job = Job(video, {1: prompts[1]}, tmp_path, options, "davis", resume=True, overwrite=True)
    track_video(job)
    assert RunFolder(tmp_path).identity()["engine"] == "openvino"


def test_what_corrects_a_run_is_computed_as_it_was(video, model, prompts, tmp_path) -> None:
    track(video, prompts, tmp_path / "one", model, "davis", size=64, engine="torch")
    options = ModelOptions(model, size=64)
    job = Job(video, prompts, tmp_path / "two", options, "davis", like=tmp_path / "one")
    track_video(job)
    assert RunFolder(tmp_path / "two").identity()["engine"] == "torch"
    assert masks_of(tmp_path / "two") == masks_of(tmp_path / "one")


def test_a_finished_run_is_kept_whatever_computed_it(video, model, prompts, tmp_path) -> None:
    track(video, prompts, tmp_path, model, "davis", size=64, engine="torch")
    before = masks_of(tmp_path)
    options = ModelOptions(model, size=64)
    job = Job(video, prompts, tmp_path, options, "davis", resume=True, keep_finished=True)
    track_video(job)
    assert masks_of(tmp_path) == before
    with Journal(tmp_path) as journal:
        assert journal.about["identity"]["engine"] == "torch"


def test_features_lie_as_they_are_computed_and_go_in_as_they_lie(model) -> None:
    """Channels last; wherever they lie, what comes of them is the same."""
    engine = load(model, "cpu", engine="openvino").propagator.engine
    image = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), np.uint8)
    f16, *_, near = engine.run("encode", image)
    assert f16.shape == (1, 256, 4, 6) and near.shape == (1, 32, 8, 12)
    for features in (f16, near):
        assert features.transpose(0, 2, 3, 1).flags.c_contiguous
    masks = np.random.default_rng(1).random((1, 2, 32, 48)).astype(np.float32)
    same = engine.run("memorize", np.ascontiguousarray(f16), masks)
    np.testing.assert_array_equal(engine.run("memorize", f16, masks), same)


def test_what_an_engine_gave_stays_as_it_is(model) -> None:
    """However often it computes the same afterwards."""
    engine = load(model, "cpu", engine="openvino").propagator.engine
    images = np.random.default_rng(0).integers(0, 256, (20, 1, 64, 96, 3), np.uint8)
    given = [engine.run("encode", image)[0] for image in images]
    again = [engine.run("encode", image)[0] for image in images]
    for one, other in zip(given, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_two_threads_may_ask_an_engine_for_the_same_at_once(model) -> None:
    engine = load(model, "cpu", engine="openvino").propagator.engine
    images = np.random.default_rng(0).integers(0, 256, (24, 1, 64, 96, 3), np.uint8)
    expected = [engine.run("encode", image)[0] for image in images]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda image: engine.run("encode", image)[0], images))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_results_of_an_engine_are_the_same_every_time(model, discs) -> None:
    engine = load(model, "cpu", engine="openvino").propagator.engine
    picture = np.ascontiguousarray(discs.images[0][None, :48, :64])
    first = [value.tobytes() for value in engine.run("encode", picture)]
    for _ in range(100):
        assert [value.tobytes() for value in engine.run("encode", picture)] == first
