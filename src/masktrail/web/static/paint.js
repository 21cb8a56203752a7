// Painting: strokes over the mask that an object has in this frame.

import { ask, askJson, trying } from "./api.js";
import { editPrompt } from "./marks.js";
import { emit, on, store } from "./store.js";

let canvas = null; // white where the object is
let tint = null;
let ready = null; // promise of the mask that painting starts from
let last = null;

// The canvas to be shown instead of the masks, while it is wet.
export function painted() {
  if (!canvas) return null;
  const pen = tint.getContext("2d");
  pen.globalCompositeOperation = "copy";
  pen.drawImage(canvas, 0, 0);
  pen.globalCompositeOperation = "source-in";
  pen.fillStyle = store.mark.objects.find((one) => one.id === store.object)?.color ?? "#ffffff";
  pen.fillRect(0, 0, tint.width, tint.height);
  return tint;
}

export function beginStroke(point, erasing) {
  if (!canvas) {
    canvas = blank();
    tint = blank();
    ready = load();
  }
  last = null;
  moveStroke(point, erasing);
}

export function moveStroke(point, erasing) {
  const from = last ?? point;
  last = point;
  const width = store.brush;
  ready.then(() => {
    if (!canvas) return;
    const pen = canvas.getContext("2d");
    pen.globalCompositeOperation = erasing ? "destination-out" : "source-over";
    pen.strokeStyle = "#ffffff";
    pen.lineCap = "round";
    pen.lineWidth = width;
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(point[0] + 0.01, point[1]);
    pen.stroke();
    emit("paint");
  });
}

export async function endStroke() {
  await ready;
  const { frame, object } = store;
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  await trying(async () => {
    try {
      const { name } = await askJson("POST", `/api/masks?frame=${frame}&object=${object}`, blob);
      if (store.frame !== frame || store.object !== object) return;
      editPrompt((prompt) => Object.assign(prompt, { box: null, points: [], mask: name }));
    } catch (error) {
      dry();
      throw error;
    }
  });
}

function dry() {
  canvas = tint = ready = null;
  emit("paint");
}

function blank() {
  const { width, height } = store.open.video;
  return Object.assign(document.createElement("canvas"), { width, height });
}

async function load() {
  const address = `/api/labels/${store.frame}/${store.object}?k=${store.open.key}&t=${Date.now()}`;
  const into = canvas;
  const answer = await ask("GET", address).catch(() => null);
  if (answer?.status === 200) {
    into.getContext("2d").drawImage(await createImageBitmap(await answer.blob()), 0, 0);
  }
}

on("frame object labels", dry);
