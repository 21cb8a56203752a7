// What fingers, pens and mice do on the stage.

import { addObject, editPrompt } from "./marks.js";
import { beginStroke, dropStroke, endStroke, moveStroke } from "./paint.js";
import { draft } from "./stage.js";
import { byId, emit, store } from "./store.js";
import { clamped, pan, toVideo, zoom } from "./view.js";

const STILL = 5; // pixels of the screen that a tap may move

const stage = byId("stage");
const fingers = new Map(); // by pointer id, the last place
let gesture = null;

export function chooseTool(tool) {
  store.tool = tool;
  for (const button of document.querySelectorAll("[data-tool]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  }
  const brushing = tool === "paint" || tool === "erase";
  for (const part of document.querySelectorAll(".for-brush")) part.hidden = !brushing;
  stage.style.cursor = tool === "hand" ? "grab" : "crosshair";
}

export function startTools() {
  for (const button of document.querySelectorAll("[data-tool]")) {
    button.addEventListener("click", () => chooseTool(button.dataset.tool));
  }
  chooseTool("box");
  stage.addEventListener("pointerdown", down);
  stage.addEventListener("pointermove", move);
  stage.addEventListener("pointerup", up);
  stage.addEventListener("pointercancel", cancel);
  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener("mousedown", (event) => {
    if (event.button === 1) event.preventDefault(); // no scrolling along
  });
  stage.addEventListener("wheel", wheel, { passive: false });
}

const place = (event) => {
  const { left, top } = stage.getBoundingClientRect();
  return [event.clientX - left, event.clientY - top];
};
const pixel = (at) => clamped(toVideo(...at));

function down(event) {
  stage.setPointerCapture(event.pointerId);
  const at = place(event);
  fingers.set(event.pointerId, at);
  if (fingers.size > 1) {
    cancelMark();
    gesture = { kind: "pinch" };
  } else if (store.tool === "hand" || event.button === 1) {
    gesture = { kind: "pan" };
  } else {
    if (!store.object) addObject();
    beginMark(at, event);
  }
}

function beginMark(at, event) {
  const kind = event.button === 2 ? "negative" : store.tool;
  gesture = { kind, from: at };
  if (kind === "paint" || kind === "erase") beginStroke(pixel(at), kind === "erase");
}

function move(event) {
  if (!fingers.has(event.pointerId) || !gesture) return;
  const before = fingers.get(event.pointerId);
  const at = place(event);
  if (gesture.kind === "pinch") pinch(event.pointerId, at);
  fingers.set(event.pointerId, at);
  if (gesture.kind === "pan") pan(at[0] - before[0], at[1] - before[1]);
  if (gesture.kind === "box" && distance(gesture.from, at) > STILL) {
    draft.box = boxOf(pixel(gesture.from), pixel(at));
    emit("draft");
  }
  if (gesture.kind === "paint" || gesture.kind === "erase") {
    moveStroke(pixel(at), gesture.kind === "erase");
  }
}

function up(event) {
  const at = place(event);
  fingers.delete(event.pointerId);
  const done = gesture;
  if (fingers.size === 0) gesture = null;
  if (!done?.from) return;
  if (done.kind === "paint" || done.kind === "erase") endStroke();
  else if (draft.box) takeBox();
  else if (distance(done.from, at) <= STILL) takePoint(pixel(done.from), done.kind !== "negative");
}

function cancel(event) {
  fingers.delete(event.pointerId);
  cancelMark();
  gesture = null;
}

function cancelMark() {
  dropStroke();
  draft.box = null;
  emit("draft");
}

function takeBox() {
  const box = draft.box.map((value) => Math.round(value * 10) / 10);
  draft.box = null;
  if (box[2] > box[0] && box[3] > box[1]) {
    editPrompt((prompt) => Object.assign(prompt, { box, mask: null }));
  }
  emit("draft");
}

function takePoint([x, y], positive) {
  const point = [Math.floor(x * 10) / 10, Math.floor(y * 10) / 10, positive];
  editPrompt((prompt) => prompt.points.push(point));
}

const distance = (one, other) => Math.hypot(one[0] - other[0], one[1] - other[1]);

const boxOf = (one, other) => [
  Math.min(one[0], other[0]), Math.min(one[1], other[1]),
  Math.max(one[0], other[0]), Math.max(one[1], other[1]),
];

function pinch(id, at) {
  const before = fingers.get(id);
  const other = [...fingers].find(([key]) => key !== id)?.[1];
  if (!other) return;
  const middle = (place) => [(place[0] + other[0]) / 2, (place[1] + other[1]) / 2];
  const [from, to] = [middle(before), middle(at)];
  zoom(distance(at, other) / Math.max(distance(before, other), 1), ...to);
  pan(to[0] - from[0], to[1] - from[1]);
}

function wheel(event) {
  event.preventDefault();
  if (event.shiftKey) pan(-event.deltaY, 0);
  else zoom(Math.exp(-event.deltaY * 0.0015), ...place(event));
}
