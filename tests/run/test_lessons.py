"""What is learned from prompted frames: stored once in the journal, taken again by a resumption."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from fake import FakePropagator, fake_tracker, fill_box
from masktrail.prompts.kinds import Box
from masktrail.run import loop, track
from masktrail.run.identity import difference
from masktrail.run.journal import NAME, Journal
from masktrail.run.lessons import Lessons
from masktrail.run.states import packed_state, unpacked_state
from masktrail.settings import ModelOptions
from masktrail.tracking.family import Traits
from masktrail.tracking.propagator import Lesson
from masktrail.tracking.tracker import Tracker
from painted_videos import paint_clip, write_video
from watched_runs import Stopped, masks_of, stop_after

FRAMES = 20


class Student(FakePropagator):
    """Learns numbers by chance, and notes which of them it uses when objects are tracked."""

    learned = taken = 0
    used: ClassVar[set[float]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.weights = np.zeros(1000, np.float32)

    def learn(self, image, masks, progress):
        self.weights = np.random.default_rng().random(1000, np.float32)
        Student.learned += 1

    def lesson(self):
        return {"weights": self.weights}

    def take(self, lesson):
        self.weights = np.zeros(1000, np.float32) if lesson is None else lesson["weights"]
        Student.taken += 1

    def propagate(self, image, ids):
        if ids:
            Student.used.add(float(self.weights[0]))
        return super().propagate(image, ids)


@pytest.fixture
def student(monkeypatch: pytest.MonkeyPatch) -> type[Student]:
    def load(options: ModelOptions) -> Tracker:
        return Tracker(Student(), 64, fill_box, traits=Traits(learns=("budget",)))

    monkeypatch.setattr(loop, "KEPT_EVERY", 5)
    monkeypatch.setattr(loop, "tracker_of", load)
    monkeypatch.setattr(Student, "learned", 0)
    monkeypatch.setattr(Student, "taken", 0)
    monkeypatch.setattr(Student, "used", set())
    return Student


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "fake.safetensors").write_bytes(b"fake")
    return tmp_path / "fake.safetensors"


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4", paint_clip(FRAMES, (64, 48)).images)


PROMPTS = {
    "one": {0: {1: Box(4, 4, 20, 20)}},
    "several": {0: {1: Box(4, 4, 20, 20)}, 8: {1: Box(12, 4, 28, 20)}},
}


@pytest.mark.parametrize("which", PROMPTS)
@pytest.mark.parametrize("frames", [3, 12, 17])
def test_a_resumption_takes_what_was_learned(
    student, video, model, tmp_path, which, frames
) -> None:
    prompts, out = PROMPTS[which], tmp_path / "out"
    tracked_back = 9 if which == "several" else 0
    with pytest.raises(Stopped):
        stop = stop_after(frames + tracked_back)
        track(video, prompts, out, model, "davis", size=64, progress=stop)
    assert student.learned == len(prompts)
    before = masks_of(out)
    track(video, prompts, out, model, "davis", size=64, resume=True)
    assert student.learned == len(prompts), "none is learned again"
    assert student.taken
    assert masks_of(out)[: len(before)] == before and len(masks_of(out)) == FRAMES
    assert len(student.used) == 1, "frames are tracked with what was learned last alone"


def test_states_hold_where_it_is_alone(student, video, model, tmp_path) -> None:
    out = tmp_path / "out"
    with pytest.raises(Stopped):
        track(video, PROMPTS["one"], out, model, "davis", size=64, progress=stop_after(12))
    with closing(sqlite3.connect(out / NAME)) as journal:
        ((state,),) = journal.execute("SELECT content FROM state").fetchall()
        ((key, lesson),) = journal.execute("SELECT key, content FROM lessons").fetchall()
    assert len(lesson) > 4000 and key.encode() in state
    assert unpacked_state(state, {key: unpacked_state(lesson)})["lesson"].keys() == {"weights"}


def test_a_finished_run_keeps_none(student, video, model, tmp_path) -> None:
    track(video, PROMPTS["one"], tmp_path / "out", model, "davis", size=64)
    assert student.learned == 1
    with Journal(tmp_path / "out") as journal:
        assert journal.finished and not journal.lessons


def test_a_run_that_learns_nothing_has_no_room_for_it(video, model, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(loop, "tracker_of", lambda options: fake_tracker())
    track(video, PROMPTS["one"], tmp_path / "out", model, "davis", size=64)
    with closing(sqlite3.connect(tmp_path / "out" / NAME)) as journal:
        names = {name for (name,) in journal.execute("SELECT name FROM sqlite_master")}
    assert "frames" in names and "lessons" not in names


def test_lessons_are_a_mapping() -> None:
    with closing(sqlite3.connect(":memory:")) as file:
        lessons = Lessons(lambda query, *values: file.execute(query, values).fetchall())
        assert not lessons and "a" not in lessons
        with pytest.raises(KeyError):
            lessons["a"]
        lessons["a"] = {"x": np.arange(3)}
        lessons["a"] = {"x": np.arange(4)}
        assert list(lessons) == ["a"] and lessons["a"]["x"].tolist() == [0, 1, 2], "the first stays"
        lessons.clear()
        assert not lessons
        with pytest.raises(KeyError):
            del lessons["a"]


def test_a_state_holds_the_key_of_a_lesson_alone() -> None:
    lesson = {"weights": np.arange(5000)}
    content = packed_state({"lesson": Lesson("abc", lesson), "size": 3})
    assert len(content) < 500
    state = unpacked_state(content, {"abc": lesson})
    assert isinstance(state["lesson"], Lesson) and state["lesson"].key == "abc"
    assert state["lesson"]["weights"] is lesson["weights"]
    with pytest.raises(ValueError):
        unpacked_state(content)


def test_a_setting_that_there_was_not_yet_makes_no_other_run() -> None:
    before = {"defaults": {"every": 3}, "size": 64}
    assert difference(before, {"defaults": {"every": 3, "adapt": 0.0}, "size": 64}) is None
    assert difference(before, {"defaults": {"every": 2, "adapt": 0.0}, "size": 64}) == "defaults"
