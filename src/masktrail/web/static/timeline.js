// The timeline: what is tracked and marked, and how sure the tracker is of every frame.

import { show } from "./frames.js";
import { byId, on, store } from "./store.js";

const ROW = 14; // height of the upper row, pixels; below it is the strip of confidence

const canvas = byId("timeline");
const slider = byId("frame-slider");
const pen = canvas.getContext("2d");

export function startTimeline() {
  new ResizeObserver(draw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  on("frame open mark run scores", draw);
  on("frame open run", describe);
  slider.addEventListener("input", () => show(Number(slider.value)));
  canvas.addEventListener("pointerdown", seek);
  canvas.addEventListener("pointermove", (event) => event.buttons && seek(event));
}

export function nextReview() {
  const doubtful = store.review.map(([frame]) => frame);
  const frames = [...new Set([...doubtful, ...store.cuts])].sort((a, b) => a - b);
  const next = frames.find((frame) => frame > store.frame) ?? frames[0];
  if (next !== undefined) show(next);
}

function seek(event) {
  const { left, width } = canvas.getBoundingClientRect();
  show(Math.floor(((event.clientX - left) / width) * store.open.frames));
}

function describe() {
  if (!store.open) return;
  const seconds = store.frame / store.open.video.fps;
  const text = `${store.frame} / ${store.open.frames - 1}`;
  slider.max = String(store.open.frames - 1);
  slider.value = String(store.frame);
  const cut = store.cuts.includes(store.frame) ? " after a cut" : "";
  slider.setAttribute("aria-valuetext", `frame ${text}, ${seconds.toFixed(2)} s${cut}`);
  const more = store.open.counted ? "" : " counting …";
  byId("position").textContent = `${text}   ${seconds.toFixed(2)} s${cut}${more}`;
}

function draw() {
  const { width, height } = canvas.getBoundingClientRect();
  if (!width || !store.open) return;
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  const ink = getComputedStyle(document.documentElement);
  const color = (name) => ink.getPropertyValue(`--${name}`);
  pen.fillStyle = color("stage");
  pen.fillRect(0, 0, width, ROW);
  pen.fillRect(0, ROW + 4, width, height - ROW - 4);
  drawScores(width, height, color);
  drawCuts(width, height, color);
  drawReview(width, height, color);
  pen.fillStyle = color("ink");
  for (const frame of Object.keys(store.mark.prompts)) {
    pen.fillRect(place(Number(frame), width) - 1.5, 0, 3, ROW);
  }
  pen.fillRect(place(store.frame, width) - 1, 0, 2, height);
}

const place = (frame, width) => ((frame + 0.5) / store.open.frames) * width;

// One column a pixel at most; of the frames in it the least certain counts.
function drawScores(width, height, color) {
  const { frames } = store.open;
  const columns = Math.min(Math.ceil(width), frames);
  const room = height - ROW - 4;
  const inks = { good: color("good"), doubt: color("doubt"), lost: color("lost") };
  const bar = color("strong");
  for (let column = 0; column < columns; column += 1) {
    const [from, to] = [column, column + 1].map((n) => Math.floor((n * frames) / columns));
    const known = store.confidence.slice(from, Math.max(to, from + 1));
    const score = known.reduce((least, one) => Math.min(least, one ?? 2), 2);
    if (score > 1) continue;
    const left = (column * width) / columns;
    const wide = width / columns + 0.5;
    pen.fillStyle = bar;
    pen.fillRect(left, 4, wide, ROW - 8);
    pen.fillStyle = score <= 0 ? inks.lost : score < 0.75 ? inks.doubt : inks.good;
    const tall = score <= 0 ? room : Math.max(3, score * room);
    pen.fillRect(left, height - tall, wide, tall);
    if (score <= 0) pen.clearRect(left, height - room / 2 - 3, wide, 6); // lost: split in two
  }
}

// A broken line between two frames: what is beyond it may be another place.
function drawCuts(width, height, color) {
  pen.strokeStyle = color("ink");
  pen.setLineDash([3, 2]);
  pen.beginPath();
  for (const frame of store.cuts) {
    const x = Math.round(place(frame - 0.5, width)) + 0.5;
    pen.moveTo(x, 0);
    pen.lineTo(x, height);
  }
  pen.stroke();
  pen.setLineDash([]);
}

function drawReview(width, height, color) {
  pen.fillStyle = color("alarm");
  for (const [frame] of store.review) {
    const x = place(frame, width);
    pen.beginPath();
    pen.moveTo(x - 5, ROW + 4);
    pen.lineTo(x + 5, ROW + 4);
    pen.lineTo(x, ROW + 13);
    pen.fill();
  }
}
