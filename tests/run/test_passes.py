"""Prompts at several frames, from the call to the files, with masks that drift to the right."""

import json
from pathlib import Path

import numpy as np
import pytest

from fake import FakePropagator, fake_tracker, fill_box, memory_tracker, tracker_of
from masktrail.errors import InputError
from masktrail.masks import areas, read_labels, tight_box
from masktrail.prompts.kinds import Box, Mask, Points
from masktrail.run import track
from masktrail.run.passes import BothPasses
from masktrail.run.plan import Plan
from masktrail.tracking import prompted
from masktrail.tracking.family import Traits
from masktrail.tracking.tracker import Tracker
from masktrail.video import open_video
from masktrail.video.browse import Browser
from masktrail.video.watch import Watch
from memory_use import LABELS_MB, growth_of, paint_long
from painted_videos import paint_clip, through_pipe, write_video

SIZE = (64, 48)
FRAMES = 12


@pytest.fixture
def fake(monkeypatch, tmp_path) -> Path:
    monkeypatch.setattr("masktrail.run.loop.tracker_of", lambda *arguments: fake_tracker())
    (tmp_path / "fake.safetensors").write_bytes(b"fake")
    return tmp_path / "fake.safetensors"


@pytest.fixture
def video(paint_video) -> Path:
    return paint_video(frames=FRAMES, size=SIZE, tone=None, options={"g": "5"})


def square(x: int, y: int = 16) -> Box:
    return Box(x, y, x + 16, y + 16)


def labels(out: Path) -> list[np.ndarray]:
    return [read_labels(path)[0] for path in sorted((out / "masks").iterdir())]


def lefts(out: Path, object_id: int = 1) -> list[int | None]:
    """Left edge of an object in every frame that was written."""
    boxes = [tight_box(found == object_id) for found in labels(out)]
    return [box and box[0] for box in boxes]


def test_before_the_prompt_backward_and_behind_it_forward(video, fake, tmp_path):
    seen = []
    report = track(
        video, {6: {1: square(16)}}, tmp_path / "out", fake, progress=lambda *now: seen.append(now)
    )
    # whichever way it is tracked, the fake drifts four pixels per frame to the right
    assert lefts(tmp_path / "out") == [40, 36, 32, 28, 24, 20, 16, 20, 24, 28, 32, 36]
    assert report.frames == FRAMES
    assert seen == sorted(seen), "also while frames are only looked at"
    assert sorted(set(seen)) == [(n, FRAMES + 7) for n in range(FRAMES + 8)]


def test_between_two_prompts_the_nearer_one_counts(video, fake, tmp_path):
    prompts = {0: {1: square(0, 0)}, 8: {1: square(0, 32)}}
    track(video, prompts, tmp_path / "out", fake)
    tops = [box and box[1] for box in (tight_box(m == 1) for m in labels(tmp_path / "out"))]
    assert tops[:4] == [0] * 4 and np.abs(np.subtract(tops[5:], 32)).max() <= 2
    # where the two disagree entirely an edge may move by half a mask pixel
    expected = [0, 4, 8, 12, 12, 8, 4, 0]
    found = lefts(tmp_path / "out")
    assert np.abs(np.subtract(found[:4] + found[5:9], expected)).max() <= 2


def test_a_prompted_frame_is_what_the_user_gave(video, fake, tmp_path):
    rng = np.random.default_rng(0)
    ragged = {t: Mask(rng.random(SIZE[::-1]) < 0.3) for t in (0, 4, 7)}
    track(video, {t: {1: mask} for t, mask in ragged.items()}, tmp_path / "out", fake)
    found = labels(tmp_path / "out")
    for t, mask in ragged.items():
        np.testing.assert_array_equal(found[t] == 1, mask.mask)


def test_a_correction_changes_its_neighbours_and_never_itself(video, fake, tmp_path):
    rng = np.random.default_rng(1)
    first, right = square(0), Mask(np.pad(rng.random((19, 23)) < 0.8, ((27, 2), (30, 11))))
    track(video, {0: {1: first}}, tmp_path / "before", fake)
    track(video, {0: {1: first}, 6: {1: right}}, tmp_path / "after", fake)
    before, after = labels(tmp_path / "before"), labels(tmp_path / "after")
    np.testing.assert_array_equal(after[6] == 1, right.mask)
    np.testing.assert_array_equal(after[0], before[0])
    for t in (5, 7):
        assert (before[t] != after[t]).any()


def test_a_network_goes_both_ways_and_comes_back_to_where_it_was(video, model, tmp_path):
    clip = paint_clip(FRAMES, SIZE)
    prompts = {t: {1: Mask(clip.labels[t] == 1)} for t in (3, 6)}
    tracker = memory_tracker()
    plan = Plan(prompts, 0, "both")
    passes = BothPasses(tracker, plan, tmp_path)
    forward = memory_tracker()
    with open_video(video) as source:
        passes.prepare(source, lambda: None, lambda: None)
        for frame in source:
            passes.step(frame)
            forward.step(frame.image, prompts.get(frame.index))
            if frame.index > 6:
                np.testing.assert_array_equal(tracker.logits[1], forward.logits[1])
    assert sum(entry.permanent for entry in tracker.propagator.bank.entries) == 2


def test_of_many_prompts_those_stay_in_memory_that_a_pass_came_by_last(
    video, tmp_path, monkeypatch
):
    monkeypatch.setattr(prompted, "MOST", 3)
    clip = paint_clip(FRAMES, SIZE)
    prompts = {t: {1: Mask(clip.labels[t] == 1)} for t in range(0, 12, 2)}
    tracker = memory_tracker()
    bank, seen = tracker.propagator.bank, {}
    passes = BothPasses(tracker, Plan(prompts, 0, "both"), tmp_path)
    with open_video(video) as source:
        for frame in source:
            seen[bank._engine.array(tracker.look(frame.image).features.memory).tobytes()] = (
                frame.index
            )

        def kept():
            entries = [entry for entry in bank.entries if entry.permanent]
            return {seen[bank._engine.array(entry.keys).tobytes()] for entry in entries}

        on_the_way = []
        passes.prepare(source, lambda: on_the_way.append(kept()), lambda: None)
        assert on_the_way[0] == kept() == {0, 8, 10}, "as after it was shown all of them"
        assert on_the_way[-1] == {0, 2, 4}, "the last of the pass backward"
        for frame in source:
            result = passes.step(frame)
            if frame.index in prompts:
                np.testing.assert_array_equal(result.labels == 1, prompts[frame.index][1].mask)
                assert {0, frame.index} <= kept() and len(kept()) == 3


def test_objects_may_be_prompted_at_frames_of_their_own(video, fake, tmp_path):
    track(video, {0: {1: square(0, 0)}, 5: {300: square(20, 30)}}, tmp_path / "out", fake)
    assert lefts(tmp_path / "out", 1)[:5] == [0, 4, 8, 12, 16]
    assert lefts(tmp_path / "out", 300)[:7] == [40, 36, 32, 28, 24, 20, 24]


def test_an_object_that_one_direction_has_lost_is_the_others(video, fake, tmp_path):
    track(video, {0: {1: square(44)}, 11: {1: square(0)}}, tmp_path / "out", fake)
    # drifting from 44 it has left after five frames; from the other prompt it is seen longer
    assert lefts(tmp_path / "out")[5:] == [24, 20, 16, 12, 8, 4, 0]


def test_clicks_correct_what_was_tracked_so_far(video, fake, tmp_path):
    clicks = Points([(60, 44)], [True])
    track(video, {0: {1: square(0)}, 4: {1: clicks}}, tmp_path / "out", fake)
    found = labels(tmp_path / "out")
    assert found[4][20, 20] == 1 and found[4][44, 60] == 1  # the square where it had drifted to
    assert found[3][20, 22] == 1 and found[5][20, 22] == 1


@pytest.mark.parametrize("later", [False, True])
def test_clicks_may_leave_nothing_of_an_object(video, fake, tmp_path, monkeypatch, later):
    """Neither there nor behind, but before; and from a later prompt back to there."""

    def prompter(image, prompt, previous=None):
        return fill_box(image, prompt) if isinstance(prompt, Box) else np.zeros((48, 64), bool)

    tracker = Tracker(FakePropagator(), 64, prompter)
    monkeypatch.setattr("masktrail.run.loop.tracker_of", lambda *arguments: tracker)
    prompts = {0: {1: square(0)}, 4: {1: Points([(20, 20)], [False])}}
    if later:
        prompts[8] = {1: square(16)}
    track(video, prompts, tmp_path / "out", fake)
    backward = [28, 24, 20, 16, 20, 24, 28]
    found = lefts(tmp_path / "out")
    assert found == [0, 4, 8, 12, None, *(backward if later else [None] * 7)]


def test_clicks_are_remembered_and_not_what_was_tracked_to_make_masks_of_them(clip, tmp_path):
    tracker = tracker_of("labelprop")
    prompts = {0: {1: Mask(clip.labels[0] == 1)}, 6: {1: Points([(5, 5)], [True])}}
    passes = BothPasses(tracker, Plan(prompts, 0, "both"), tmp_path)
    video = write_video(tmp_path / "clip.mp4", clip.images[:12])
    with open_video(video) as source:
        passes.prepare(source, lambda: None, lambda: None)
    memory = tracker.propagator.state_dict()
    assert (len(memory["given"]), len(memory["passing"])) == (2, 0)


CLICK = Points([(40, 20)], [True])


@pytest.mark.parametrize(
    ("prompts", "learned"),
    [
        ({6: {1: square(8)}}, 1),
        ({0: {1: square(8)}, 6: {1: square(8)}}, 2),
        ({0: {1: square(8)}, 6: {1: CLICK}}, 2),
        ({0: {1: square(8)}, 6: {1: CLICK, 2: square(8)}}, 3),
        ({0: {1: square(8)}, 6: {1: Points([(1, 1)], [False])}}, 2),
    ],
    ids=["one", "two", "a click", "a click beside a box", "a click off"],
)
def test_a_prompted_frame_is_learned_from_as_it_is_shown(video, tmp_path, prompts, learned):
    class Learning(FakePropagator):
        learned = 0

        def learn(self, image, masks, progress):
            self.learned += 1

        def lesson(self):
            return {}

        def take(self, lesson):
            raise AssertionError("it never goes back")

    tracker = Tracker(Learning(), 64, fill_box, traits=Traits(learns=("budget",)))
    passes = BothPasses(tracker, Plan(prompts, 0, "both"), tmp_path)
    with open_video(video) as source:
        passes.prepare(source, lambda: None, lambda: None)
        for frame in source:
            passes.step(frame)
        assert tracker.propagator.learned == learned, "all of it before the passes"


@pytest.mark.parametrize("direction", ["both", "backward"])
def test_clicks_in_a_frame_that_is_lost_are_refused(picture_folder, fake, tmp_path, direction):
    damaged = picture_folder / "4.png"
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    prompts = {1: {1: square(0)}, 3: {1: Points([(5, 5)], [True])}, 5: {1: square(8)}}
    with pytest.raises(InputError, match="Frame 3, which a prompt is for, cannot be decoded"):
        track(picture_folder, prompts, tmp_path / "out", fake, direction=direction)


def test_reverse_ends_with_the_last_prompt(video, fake, tmp_path):
    out = tmp_path / "out"
    report = track(video, {6: {1: square(16)}}, out, fake, start=2, direction="backward")
    assert [path.name for path in sorted((out / "masks").iterdir())] == [
        f"{t:05d}.png" for t in range(2, 7)
    ]
    assert lefts(out) == [32, 28, 24, 20, 16]
    assert report.frames == 5
    record = json.loads((out / "run.json").read_text())["arguments"]
    assert record["direction"] == "backward" and record["prompts"] == {"6": {"1": [16, 16, 32, 32]}}


def test_forward_alone_knows_nothing_of_earlier_frames(video, fake, tmp_path):
    track(video, {6: {1: square(16)}}, tmp_path / "out", fake, direction="forward")
    assert lefts(tmp_path / "out")[:8] == [None] * 6 + [16, 20]


def test_the_first_frame_alone_needs_one_look(video, fake, tmp_path, monkeypatch):
    def never(*arguments):
        raise AssertionError

    track(video, {1: square(0)}, tmp_path / "old", fake)
    monkeypatch.setattr("masktrail.video.reader.Video.recording", never)
    monkeypatch.setattr("masktrail.run.passes.LogitCache", never)
    track(video, {0: {1: square(0)}}, tmp_path / "new", fake)
    for name in ("objects.csv", *(f"masks/{t:05d}.png" for t in range(FRAMES))):
        assert (tmp_path / "old" / name).read_bytes() == (tmp_path / "new" / name).read_bytes()


def test_a_folder_of_pictures_goes_both_ways(picture_folder, fake, tmp_path, clip):
    track(picture_folder, {5: {1: Mask(clip.labels[5] == 1)}}, tmp_path / "out", fake)
    assert all(areas(found).get(1) for found in labels(tmp_path / "out")[:6])


@pytest.mark.parametrize(
    ("prompts", "how", "told"),
    [
        ({40: {1: square(0)}}, {}, "ends before frame 40, which a prompt is for"),
        ({40: {1: square(0)}}, {"direction": "backward"}, "ends before frame 40"),
        ({2: {1: square(0)}}, {"start": 5}, "frame 2 lies before frame 5"),
        ({9: {1: square(0)}}, {"end": 9}, "frame 9 lies behind frame 8, the last one asked for"),
        ({0: {1: square(0)}}, {"direction": "backward"}, "nothing to track backward"),
        ({4: {1: Box(90, 90, 95, 95)}}, {}, "outside the frame"),
        ({4: {1: Points([(5, 5)], [False])}}, {}, "There is no object 1 yet"),
    ],
)
def test_prompts_that_fit_no_frame_leave_nothing(video, fake, tmp_path, prompts, how, told):
    with pytest.raises(InputError, match=told):
        track(video, prompts, tmp_path / "out", fake, **how)
    assert not (tmp_path / "out").exists()


def test_forward_alone_a_late_prompt_is_missed_at_the_end(video, fake, tmp_path):
    prompts = {0: {1: square(0)}, 40: {1: square(0)}}
    with pytest.raises(InputError, match="ends before frame 40"):
        track(video, prompts, tmp_path / "out", fake, direction="forward")
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {"", ".sqlite"}


def test_a_pipe_goes_forward_alone(paint_video, fake, tmp_path):
    film = paint_video("film.ts", frames=FRAMES, size=SIZE, tone=None).read_bytes()
    prompts = {0: {1: square(0)}, 4: {1: square(0)}}
    with pytest.raises(InputError, match="is live or a pipe and cannot be tracked backward"):
        track(through_pipe(tmp_path / "one.ts", film), prompts, tmp_path / "out", fake)
    two = through_pipe(tmp_path / "two.ts", film)
    track(two, prompts, tmp_path / "out", fake, "davis", direction="forward")
    assert lefts(tmp_path / "out")[:6] == [0, 4, 8, 12, 0, 4]


def test_ctrl_c_before_anything_is_written_leaves_a_record(video, fake, tmp_path):
    def stop(done: int, expected: int | None) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        track(video, {8: {1: square(0)}}, tmp_path / "out", fake, progress=stop)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["journal.sqlite", "run.json"]


def test_the_command_line_goes_in_one_direction_if_asked(command, video, fake, tmp_path):
    model = ("--model", fake)
    said = command(
        "track", video, "--box=1:0,16,16,32", "--out", tmp_path / "out", *model, "--reverse"
    )
    assert said.code == 2 and "nothing to track backward" in said.err
    said = command(
        "track", video, "--box=1:0,16,16,32", "--out", tmp_path / "out", *model, "--forward"
    )
    assert said.code == 0


@pytest.mark.slow
def test_memory_does_not_grow_with_the_way_back(tmp_path):
    """Back, 300 steps, and there: neither while it goes back, but for its last two chunks, which
    are decoded anew from the beginning, nor while both ways are joined."""
    prompts = {0: {1: Box(360, 120, 600, 360)}, 299: {1: Box(40, 120, 280, 360)}}
    video = paint_long(tmp_path / "long.mp4", 300)
    back, _, joining = growth_of(video, prompts, tmp_path / "out", 80, 230, 350, 590)
    assert back < 150 * LABELS_MB / 3 and joining < 240 * LABELS_MB / 3, (back, joining)


@pytest.mark.parametrize("call", [3, FRAMES + 3])
def test_a_run_is_ended_while_frames_are_only_looked_at(video, fake, tmp_path, call):
    """While frames are counted and prompted ones learnt, and on the way back."""
    prompts, calls = {0: {1: square(0)}, FRAMES - 1: {1: square(0)}}, []

    def progress(done: int, expected: int | None) -> None:
        calls.append(done)
        if len(calls) == call:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        track(video, prompts, tmp_path / "out", fake, "davis", progress=progress)
    assert calls == [0] * min(call, FRAMES) + list(range(1, call - FRAMES + 1))
    whole = track(video, prompts, tmp_path / "out", fake, "davis", resume=True)
    assert whole.frames == FRAMES and not whole.interrupted


def test_a_correction_decodes_each_frame_twice_where_others_have_counted_it(
    video, fake, tmp_path, monkeypatch
):
    """Back, and there while masks are written; once more to count it where nobody has."""
    decoded = []
    see = Watch.see
    monkeypatch.setattr(Watch, "see", lambda self, frame: (decoded.append(1), see(self, frame)))
    prompts = {0: {1: square(0)}, FRAMES - 1: {1: square(0)}}
    some = 2 * 5  # from key frames to both prompted ones
    track(video, prompts, tmp_path / "alone", fake, "davis")
    assert 3 * FRAMES <= len(decoded) <= 3 * FRAMES + some
    browser = Browser(video)
    while not browser.counted:
        pass
    decoded.clear()
    track(video, prompts, tmp_path / "beside", fake, "davis")
    browser.close()
    assert 2 * FRAMES <= len(decoded) <= 2 * FRAMES + some
    for t in range(FRAMES):
        name = f"masks/{t:05d}.png"
        one, other = tmp_path / "alone" / name, tmp_path / "beside" / name
        assert one.read_bytes() == other.read_bytes()
