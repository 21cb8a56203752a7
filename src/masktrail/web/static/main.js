// Puts the parts together.

import { startExports } from "./exports.js";
import { show, showLabels } from "./frames.js";
import { startKeys } from "./keys.js";
import { canRedo, canUndo, change, redo, setPrompt, undo } from "./marks.js";
import { startObjects } from "./objects.js";
import { startOpening } from "./opening.js";
import { startPainting } from "./paint.js";
import { togglePlay } from "./play.js";
import { lookOnce, startRuns } from "./run.js";
import { startSettings } from "./settings.js";
import { startStage } from "./stage.js";
import { byId, emit, on, store } from "./store.js";
import { nextReview, startTimeline } from "./timeline.js";
import { startTools } from "./tools.js";
import { fit, toStage, zoom } from "./view.js";

const clicks = {
  undo,
  redo,
  clear: () => change((mark) => setPrompt(mark, store.frame, store.object, null)),
  "zoom-in": () => zoom(1.25),
  "zoom-out": () => zoom(0.8),
  "zoom-fit": fit,
  play: togglePlay,
  back: () => show(store.frame - 1),
  forth: () => show(store.frame + 1),
  "next-review": nextReview,
};

function startControls() {
  for (const [id, act] of Object.entries(clicks)) byId(id).addEventListener("click", () => act());
  byId("direction").addEventListener("change", (event) =>
    change((mark) => { mark.settings.direction = event.target.value; }));
  byId("model").addEventListener("change", (event) =>
    change((mark) => Object.assign(mark.settings, { model: event.target.value, own: {} })));
  byId("opacity").addEventListener("input", (event) => {
    store.opacity = Number(event.target.value);
    emit("opacity");
  });
  byId("brush").addEventListener("input", (event) => { store.brush = Number(event.target.value); });
  on("mark frame object", describe);
  on("saved", () => { showLabels(); lookOnce(); });
  on("frame", () => history.replaceState(null, "", `#f=${store.frame}`));
}

function describe() {
  const { mark, frame, object } = store;
  byId("undo").disabled = !canUndo();
  byId("redo").disabled = !canRedo();
  byId("clear").disabled = !mark.prompts[frame]?.[object];
  byId("hint").hidden = Object.keys(mark.prompts).length > 0;
  byId("direction").value = mark.settings.direction;
  byId("model").value = mark.settings.model;
}

startStage();
startTools();
startPainting();
startTimeline();
startRuns();
startObjects();
startSettings();
startExports();
startKeys();
startControls();
startOpening();

// For tests: where a pixel of the video is on the screen.
window.masktrail = {
  toScreen(x, y) {
    const { left, top } = byId("stage").getBoundingClientRect();
    const [across, down] = toStage(x, y);
    return [left + across, top + down];
  },
};
