// Drawing the frame, its masks and what is marked.

import { promptAt } from "./marks.js";
import { painted } from "./paint.js";
import { byId, on, store } from "./store.js";
import { resize, toStage, view } from "./view.js";

const canvas = byId("stage");
const pen = canvas.getContext("2d");
let waiting = false;

export const draft = { box: null }; // a box that is being drawn, in pixels of the video

export function startStage() {
  new ResizeObserver(() => {
    const { width, height } = canvas.getBoundingClientRect();
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    if (width && height) resize(width, height);
    redraw();
  }).observe(canvas);
  on("image labels mark view object opacity draft paint frame", redraw);
}

export function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    if (store.open) draw();
  });
}

function draw() {
  pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  pen.clearRect(0, 0, view.width, view.height);
  pen.imageSmoothingEnabled = view.scale < 3;
  if (store.image) place(store.image);
  const wet = painted();
  pen.globalAlpha = store.opacity;
  if (wet) place(wet);
  else if (store.labels?.bitmap && store.labels.frame === store.shown) place(store.labels.bitmap);
  pen.globalAlpha = 1;
  for (const one of store.mark.objects) drawPrompt(one, promptAt(store.mark, store.frame, one.id));
  if (draft.box) drawBox(draft.box, colorOf(store.object), true);
}

function place(picture) {
  const { width, height } = store.open.video;
  pen.drawImage(picture, view.x, view.y, width * view.scale, height * view.scale);
}

const colorOf = (id) => store.mark.objects.find((one) => one.id === id)?.color ?? "#ffffff";

function drawPrompt(object, prompt) {
  if (prompt.box) drawBox(prompt.box, object.color, false);
  for (const [x, y, positive] of prompt.points) drawPoint(x, y, positive);
}

function drawBox([x0, y0, x1, y1], color, dashed) {
  const [left, top] = toStage(x0, y0);
  const [right, bottom] = toStage(x1, y1);
  pen.setLineDash(dashed ? [6, 4] : []);
  for (const [width, style] of [[4, "#ffffff"], [2, color]]) {
    pen.lineWidth = width;
    pen.strokeStyle = style;
    pen.strokeRect(left, top, right - left, bottom - top);
  }
  pen.setLineDash([]);
}

// Signs differ, not colours alone.
function drawPoint(x, y, positive) {
  const [left, top] = toStage(x, y);
  pen.beginPath();
  pen.arc(left, top, 8, 0, 2 * Math.PI);
  pen.fillStyle = positive ? "#15803d" : "#b91c1c";
  pen.fill();
  pen.lineWidth = 2;
  pen.strokeStyle = "#ffffff";
  pen.stroke();
  pen.beginPath();
  pen.moveTo(left - 4, top);
  pen.lineTo(left + 4, top);
  if (positive) {
    pen.moveTo(left, top - 4);
    pen.lineTo(left, top + 4);
  }
  pen.stroke();
}
