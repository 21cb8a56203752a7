// Where the video lies on the stage: zoom and pan.

import { emit, store } from "./store.js";

const MOST = 40;

export const view = { scale: 1, x: 0, y: 0, width: 1, height: 1, fitted: true };

export function resize(width, height) {
  Object.assign(view, { width, height });
  if (view.fitted) fit();
  else emit("view");
}

export function fit() {
  if (!store.open) return;
  const { width, height } = store.open.video;
  const scale = Math.min(view.width / width, view.height / height) * 0.98;
  Object.assign(view, {
    scale,
    x: (view.width - width * scale) / 2,
    y: (view.height - height * scale) / 2,
    fitted: true,
  });
  emit("view");
}

// Around a point of the stage, its middle by default.
export function zoom(factor, x = view.width / 2, y = view.height / 2) {
  const scale = Math.min(Math.max(view.scale * factor, 0.02), MOST);
  const change = scale / view.scale;
  Object.assign(view, {
    scale,
    x: x - (x - view.x) * change,
    y: y - (y - view.y) * change,
    fitted: false,
  });
  emit("view");
}

export function pan(dx, dy) {
  view.x += dx;
  view.y += dy;
  view.fitted = false;
  emit("view");
}

export const toVideo = (x, y) => [(x - view.x) / view.scale, (y - view.y) / view.scale];
export const toStage = (x, y) => [x * view.scale + view.x, y * view.scale + view.y];

// Inside the frame, so that a mark is never refused for a pixel.
export function clamped([x, y]) {
  const { width, height } = store.open.video;
  const inside = (value, size) => Math.min(Math.max(value, 0), size - 0.01);
  return [inside(x, width), inside(y, height)];
}
