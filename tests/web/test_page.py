"""The page in a real browser: marked, previewed, tracked, corrected, exported, opened again."""

import io
import json
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from painted_videos import paint_clip, write_video
from said import Said

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium to show the page in"),
]

FRAMES, SIZE = 20, (192, 128)
SOON = 60_000


class Served:
    """`masktrail web` in a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "masktrail.cli", "web", "--no-browser"]
        command += ["--projects", "projects", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert "?token=" in self.address

    def kill(self) -> None:
        """As a crash does: nothing is put in order."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Serves the painted clip, as often as it is called."""
    clip = paint_clip(FRAMES, SIZE, objects=2)
    write_video(tmp_path / "clip.mp4", clip.images)
    servers: list[Served] = []

    def start(*arguments: str) -> Served:
        servers.append(Served(tmp_path, *arguments))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page that may neither fail nor reach another host."""
    contexts, troubles = [], []

    def start(address: str, width: int = 1024, height: int = 768, **how: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, **how)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SOON)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda r: troubles.append(r.url) if _foreign(r.url) else None)
        page.goto(address)
        return page

    yield start
    for context in contexts:
        context.close()
    assert troubles == []


def _foreign(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "blob:", "data:"))


def until(page: Any, name: str, value: str) -> None:
    """Waits until the page says something of itself."""
    page.wait_for_function(
        "([name, value]) => document.body.dataset[name] === value", arg=[name, value]
    )


def told(page: Any, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What the server tells once it tells what fits; a page's own promises are not waited for."""
    end = time.monotonic() + SOON / 1000
    while not fits(state := page.evaluate("() => fetch('/api/state').then((a) => a.json())")):
        assert time.monotonic() < end, state
        page.wait_for_timeout(50)
    return state


def mask_of(state: dict[str, Any]) -> str | None:
    """The painted mask of object 1 in frame 0."""
    return state["open"]["mark"]["prompts"]["0"]["1"]["mask"]


def drag(page: Any, *places: tuple[float, float]) -> None:
    """Presses at the first place, in pixels of the video, and lets go at the last."""
    screen = [page.evaluate("([x, y]) => masktrail.toScreen(x, y)", place) for place in places]
    page.mouse.move(*screen[0])
    page.mouse.down()
    for place in screen[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def mark_of(page: Any) -> dict[str, Any]:
    until(page, "saved", "true")
    return told(page, bool)["open"]["mark"]


def labels_shown(page: Any, frame: int) -> Any:
    return page.evaluate(
        "(frame) => fetch(`/api/labels/${frame}`).then((a) => a.headers.get('X-Objects'))", frame
    )


def test_from_a_box_to_the_masks_and_back_again(
    served: Callable[..., Served],
    visit: Callable[..., Any],
    command: Callable[..., Said],
    tmp_path: Path,
) -> None:
    server = served("clip.mp4")
    page = visit(server.address)
    until(page, "labels", "0:")
    drag(page, (118, 42), (170, 86))
    until(page, "labels", "0:1")
    assert page.locator("#hint").is_hidden()

    page.click("#track")
    until(page, "run", "done")
    page.locator("#frame-slider").fill("12")
    until(page, "labels", "12:1")

    # a correction in a later frame, by the keyboard's tools; the strip asks to track again
    page.locator("#stage").focus()
    page.keyboard.press("c")
    x, y = 40.0, 83.0
    drag(page, (x, y))
    page.wait_for_selector("text=Marks have changed: track again")
    page.keyboard.press("t")
    told(page, lambda state: (state["run"]["version"], state["run"]["state"]) == (2, "done"))
    until(page, "run", "done")

    page.click("#export-open")
    for name in ("csv", "overlay"):
        page.locator(f"#formats input[value={name}]").set_checked(False)
    page.locator("#formats input[value=json]").set_checked(True)
    page.click("#export-start")
    page.wait_for_selector("#downloads a >> nth=1")
    with page.expect_download() as waiting:
        page.click("text=clip-davis.zip")
    masks = zipfile.ZipFile(io.BytesIO(Path(waiting.value.path()).read_bytes()))
    with page.expect_download() as waiting:
        page.click("text=clip-json.json")
    assert json.loads(Path(waiting.value.path()).read_text())
    mark = mark_of(page)

    # the same on the command line, the clicks beside the mask that was seen
    (seen,) = tmp_path.rglob(f"{mark['prompts']['12']['1']['corrects']}.png")
    box = ",".join(str(value) for value in mark["prompts"]["0"]["1"]["box"])
    (point,) = mark["prompts"]["12"]["1"]["points"]
    said = command(
        "track", tmp_path / "clip.mp4", "--box", f"1:{box}", "--at", 12, "--mask", seen,
        "--point" if point[2] else "--not-point", f"1:{point[0]},{point[1]}",
        "--export", "davis", "--out", tmp_path / "cli", "--quiet",
    )  # fmt: skip
    assert said.code == 0, said.err
    for frame in range(FRAMES):
        name = f"masks/{frame:05d}.png"
        assert masks.read(name) == (tmp_path / "cli" / name).read_bytes()

    # the server is killed; another one shows all of it again
    server.kill()
    page = visit(served("clip.mp4").address + "#f=12")
    until(page, "run", "done")
    until(page, "frame", "12")
    assert mark_of(page) == mark


def test_painting_undo_and_several_objects(
    served: Callable[..., Served], visit: Callable[..., Any]
) -> None:
    page = visit(served("clip.mp4").address)
    until(page, "labels", "0:")
    page.click("#tool-paint")
    page.locator("#brush").fill("12")
    drag(page, (130, 60), (160, 60), (160, 70), (130, 70))
    until(page, "labels", "0:1")
    painted = mark_of(page)["prompts"]["0"]["1"]["mask"]
    page.click("#tool-erase")
    drag(page, (140, 65), (150, 65))
    erased = mask_of(told(page, lambda state: mask_of(state) != painted))
    assert erased and erased != painted
    page.click("#undo")
    until(page, "saved", "true")
    assert mark_of(page)["prompts"]["0"]["1"]["mask"] == painted
    page.click("#redo")
    until(page, "saved", "true")
    assert mark_of(page)["prompts"]["0"]["1"]["mask"] == erased

    page.click("#add-object")
    page.click("#tool-click")
    drag(page, (48, 64))
    until(page, "labels", "0:1,2")
    drag(page, (100, 20))
    page.mouse.move(10, 300)
    page.locator("#name-2").fill("<b>green</b>")
    page.locator("#name-2").press("Tab")
    page.locator("#stage").focus()
    page.keyboard.press("z")
    page.keyboard.press("z")
    until(page, "saved", "true")
    mark = mark_of(page)
    assert [one["name"] for one in mark["objects"]] == ["object 1", "object 2"]
    assert len(mark["prompts"]["0"]["2"]["points"]) == 1
    page.keyboard.press("Shift+Z")
    page.keyboard.press("Shift+Z")
    until(page, "saved", "true")
    assert mark_of(page)["objects"][1]["name"] == "<b>green</b>"
    page.click("#remove-2")
    until(page, "labels", "0:1")


def test_a_name_is_typed_while_marks_come_back(
    served: Callable[..., Served], visit: Callable[..., Any]
) -> None:
    """A save that ends between two keys moves neither the cursor nor what is selected."""
    page = visit(served("clip.mp4").address)
    until(page, "labels", "0:")
    held: list[Any] = []
    page.route("**/api/mark*", lambda route: held.append(route))
    page.click("#add-object")
    name = page.locator("#name-2")
    name.select_text()
    let_go(page, held)
    page.keyboard.type("gren")
    page.keyboard.press("ArrowLeft")
    page.locator("#color-1").evaluate(
        "(input) => { input.value = '#00ff00'; input.dispatchEvent(new Event('change')); }"
    )
    let_go(page, held)
    page.keyboard.type("e")
    name.press("Tab")
    let_go(page, held)
    first, second = mark_of(page)["objects"]
    assert (first["color"], second["name"]) == ("#00ff00", "green")
    page.locator("#stage").focus()
    page.keyboard.press("z")
    let_go(page, held)
    assert name.input_value() == mark_of(page)["objects"][1]["name"] == "object 2"


def let_go(page: Any, held: list[Any]) -> None:
    """The one save that was held back goes on, and is answered."""
    end = time.monotonic() + SOON / 1000
    while not held:
        assert time.monotonic() < end
        page.wait_for_timeout(10)
    held.pop().continue_()
    until(page, "saved", "true")


def test_pause_and_continue(
    served: Callable[..., Served], visit: Callable[..., Any], tmp_path: Path
) -> None:
    """Of a film so long that the page sees it running, with a cut in its middle."""
    shot = paint_clip(75, SIZE, objects=2).images
    film = np.concatenate([shot, 255 - shot[:, ::-1]])
    write_video(tmp_path / "long.mp4", film, tone=None)
    page = visit(served("long.mp4").address)
    until(page, "labels", "0:")
    drag(page, (118, 42), (170, 86))
    until(page, "labels", "0:1")
    page.click("#track")
    page.wait_for_function("() => !['none', 'loading'].includes(document.body.dataset.run)")
    page.keyboard.press("t")
    until(page, "run", "paused")
    page.click("text=Continue")
    until(page, "run", "done")
    for frame in (0, len(shot) - 1):
        assert labels_shown(page, frame) == "1"
    page.locator("#stage").focus()
    while (position := page.text_content("#position")) and not position.startswith("75 "):
        page.keyboard.press("n")
        page.wait_for_function("(old) => position.textContent !== old", arg=position)
    assert "after a cut" in position


def test_keys_zoom_and_playing(served: Callable[..., Served], visit: Callable[..., Any]) -> None:
    page = visit(served("clip.mp4").address)
    until(page, "frame", "0")
    page.locator("#stage").focus()
    for key, frame in (("ArrowRight", 1), ("Shift+ArrowRight", 11), ("ArrowLeft", 10)):
        page.keyboard.press(key)
        until(page, "frame", str(frame))
    before = page.evaluate("() => masktrail.toScreen(192, 0)[0] - masktrail.toScreen(0, 0)[0]")
    page.keyboard.press("+")
    after = page.evaluate("() => masktrail.toScreen(192, 0)[0] - masktrail.toScreen(0, 0)[0]")
    assert after == pytest.approx(before * 1.25)
    page.click("#tool-hand")
    corner = page.evaluate("() => masktrail.toScreen(0, 0)")
    drag(page, (60, 60), (80, 60))
    moved = page.evaluate("() => masktrail.toScreen(0, 0)")
    assert moved[0] > corner[0] + 10
    page.click("#zoom-fit")
    page.locator("#stage").focus()
    page.keyboard.press("Space")
    until(page, "frame", str(FRAMES - 1))
    page.wait_for_selector("#play[aria-pressed=false]")


def test_a_model_has_fields_for_its_own_settings(
    served: Callable[..., Served], visit: Callable[..., Any]
) -> None:
    def own(expected: dict[str, str]) -> None:
        told(page, lambda state: state["open"]["mark"]["settings"]["own"] == expected)

    page = visit(served("clip.mp4").address)
    until(page, "labels", "0:")
    page.select_option("#model", "unet")
    page.wait_for_selector("#setting-view", state="attached")
    page.locator("#own summary").focus()
    page.keyboard.press("Space")
    assert page.locator("#play").get_attribute("aria-pressed") == "false"
    assert page.locator("#setting-side").input_value() == "192"
    page.select_option("#setting-view", "square")
    page.locator("#setting-side").fill("256")
    page.locator("#setting-side").press("Enter")
    own({"view": "square", "side": "256"})
    page.select_option("#setting-view", "object")
    own({"side": "256"})
    page.locator("#setting-margin").fill("wide")
    page.locator("#setting-margin").press("Enter")
    page.wait_for_selector("#message:has-text('expected a number, 1 or more')")
    sync_api.expect(page.locator("#setting-margin")).to_have_value("2.0")
    own({"side": "256"})

    def late(route: Any) -> None:
        time.sleep(1)
        route.continue_()

    page.route("**/api/mark*", late)
    page.select_option("#setting-mirror", "false")
    page.locator("#setting-side").fill("16")
    page.wait_for_timeout(2000)
    assert page.locator("#setting-side").input_value() == "16", "what is typed stays"
    page.locator("#setting-side").press("End")
    page.keyboard.type("0")
    page.keyboard.press("Enter")
    own({"side": "160", "mirror": "false"})
    page.unroute("**/api/mark*")
    page.select_option("#model", "copy")
    own({})
    sync_api.expect(page.locator("#own")).to_be_hidden()


def test_the_start_screen_opens_and_uploads(
    served: Callable[..., Served], visit: Callable[..., Any], tmp_path: Path
) -> None:
    page = visit(served().address)
    page.wait_for_selector("#files button")
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"nothing")
    page.locator("#upload").set_input_files(bad)
    page.wait_for_selector("#message:has-text('not a video')")
    page.locator("#upload").set_input_files(tmp_path / "clip.mp4")
    until(page, "frame", "0")
    page.click("#open-other")
    page.click("#files button:has-text('clip.mp4')")
    until(page, "frame", "0")


@pytest.mark.parametrize(
    ("width", "scheme"), [(360, "light"), (360, "dark"), (1024, "light"), (1920, "dark")]
)
def test_nothing_serious_stands_in_anyones_way(
    served: Callable[..., Served], visit: Callable[..., Any], width: int, scheme: str
) -> None:
    """axe-core on every screen; nothing is wider than the window."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(served().address, width, 740, color_scheme=scheme, bypass_csp=True)
    page.wait_for_selector("#files button")
    check(page, axe, width)
    page.click("#files button:has-text('clip.mp4')")
    until(page, "labels", "0:")
    drag(page, (118, 42), (170, 86))
    until(page, "labels", "0:1")
    check(page, axe, width)
    page.click("#track")
    until(page, "run", "done")
    check(page, axe, width)
    page.click("#export-open")
    check(page, axe, width)
    page.locator("#export >> text=Close").click()
    page.click("#help-open")
    check(page, axe, width)


def check(page: Any, axe: Any, width: int) -> None:
    found = axe.run(page)
    serious = [
        f"{one['id']}: {[node['html'] for node in one['nodes']]}"
        for one in found.response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == [] and len(found.response["passes"]) > 5
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


ORDER = ["open-other", "help-open", "tool-box", "tool-hand", "zoom-out", "opacity", "stage"]
ORDER += ["add-object", "choose-1", "direction", "model", "settings-open"]
ORDER += ["track", "play", "frame-slider"]


def test_focus_goes_through_the_page_as_it_is_seen(
    served: Callable[..., Served], visit: Callable[..., Any]
) -> None:
    page = visit(served("clip.mp4").address)
    until(page, "frame", "0")
    page.wait_for_selector("#settings-open")  # which the server tells of
    order = []
    page.evaluate("() => document.activeElement.blur()")
    for _ in range(40):
        page.keyboard.press("Tab")
        place = page.evaluate("() => document.activeElement.id")
        if place in order or not place:
            break
        order.append(place)
    assert [place for place in order if place in ORDER] == ORDER
