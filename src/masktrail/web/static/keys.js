// The keyboard, and the table in the help that tells of it.

import { show } from "./frames.js";
import { redo, undo } from "./marks.js";
import { choose } from "./objects.js";
import { togglePlay } from "./play.js";
import { toggle } from "./run.js";
import { byId, store } from "./store.js";
import { nextReview } from "./timeline.js";
import { chooseTool } from "./tools.js";
import { fit, zoom } from "./view.js";

const KEYS = {
  " ": ["Space", "play and pause", togglePlay],
  ArrowLeft: ["←", "a frame back, with Shift ten", (event) => step(event, -1)],
  ArrowRight: ["→", "a frame on, with Shift ten", (event) => step(event, 1)],
  n: ["n", "next frame to review", nextReview],
  t: ["t", "track, pause, go on", toggle],
  b: ["b", "box", () => chooseTool("box")],
  c: ["c", "click on the object", () => chooseTool("click")],
  x: ["x", "click off the object; so does the right button", () => chooseTool("negative")],
  p: ["p", "paint", () => chooseTool("paint")],
  e: ["e", "erase", () => chooseTool("erase")],
  h: ["h", "hand: move the picture", () => chooseTool("hand")],
  z: ["z", "undo, with Shift redo", (event) => (event.shiftKey ? redo() : undo())],
  "+": ["+", "zoom in", () => zoom(1.25)],
  "-": ["−", "zoom out", () => zoom(0.8)],
  0: ["0", "fit the picture", fit],
  "?": ["?", "this help", () => byId("help").showModal()],
};

export function startKeys() {
  byId("help-open").addEventListener("click", () => byId("help").showModal());
  const rows = [["1 … 9", "choose an object"], ...Object.values(KEYS)];
  byId("keys").replaceChildren(...rows.map(([name, about]) => {
    const row = document.createElement("tr");
    const key = Object.assign(document.createElement("kbd"), { textContent: name });
    row.insertCell().append(key);
    row.insertCell().textContent = about;
    return row;
  }));
  document.addEventListener("keydown", press);
}

function press(event) {
  if (!store.open || event.altKey || document.querySelector("dialog[open]")) return;
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key.toLowerCase() !== "z") return;
  if (event.target.closest('input[type="text"], select')) return;
  if (event.key === " " && event.target.closest('button, summary, input[type="color"]')) return;
  const arrow = event.key.startsWith("Arrow");
  const tens = event.target.id === "frame-slider" && event.shiftKey;
  if (arrow && event.target.type === "range" && !tens) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (/^[1-9]$/.test(key)) choose(Number(key));
  else if (!KEYS[key]) return;
  else if (!event.repeat || (key !== " " && key !== "t")) KEYS[key][2](event);
  event.preventDefault();
}

function step(event, direction) {
  show(store.frame + direction * (event.shiftKey ? 10 : 1));
}
