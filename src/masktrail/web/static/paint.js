// Painting: strokes over the mask that an object has in this frame.

import { ask, askJson, say } from "./api.js";
import { editPrompt, promptAt, settled } from "./marks.js";
import { emit, on, store } from "./store.js";

let sheet = null; // what is painted on: of one frame and object, until its masks are shown again
let posted = Promise.resolve(); // the strokes so far, one after another

// The canvas to be shown instead of the masks, while it is wet.
export function painted() {
  if (!sheet) return null;
  const { canvas, tint, object } = sheet;
  const pen = tint.getContext("2d");
  pen.globalCompositeOperation = "copy";
  pen.drawImage(canvas, 0, 0);
  pen.globalCompositeOperation = "source-in";
  pen.fillStyle = store.mark.objects.find((one) => one.id === object)?.color ?? "#ffffff";
  pen.fillRect(0, 0, tint.width, tint.height);
  return tint;
}

export function beginStroke(point, erasing) {
  sheet ??= lay();
  sheet.busy += 1;
  sheet.last = point;
  moveStroke(point, erasing);
}

export function moveStroke(point, erasing) {
  const on = sheet;
  if (!on?.last) return;
  const from = on.last;
  on.last = point;
  const width = store.brush;
  const stroke = () => {
    const pen = on.canvas.getContext("2d");
    pen.globalCompositeOperation = erasing ? "destination-out" : "source-over";
    pen.strokeStyle = "#ffffff";
    pen.lineCap = "round";
    pen.lineWidth = width;
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(point[0] + 0.01, point[1]);
    pen.stroke();
    emit("paint");
  };
  on.ready.then(stroke, () => {});
}

// Other strokes may begin before this one is taken.
export function endStroke() {
  const on = sheet;
  if (!on?.last) return posted;
  on.last = null;
  const picture = on.ready.then(
    () => new Promise((done) => on.canvas.toBlob(done, "image/png")),
  );
  picture.catch(() => {});
  posted = posted.then(() => take(on, picture));
  return posted;
}

// A second finger came down: it was no stroke.
export function dropStroke() {
  if (sheet?.last) dry();
}

async function take(on, picture) {
  const { frame, object, key } = on;
  try {
    const address = `/api/masks?k=${key}`;
    const { name } = await askJson("POST", address, await picture);
    on.name = name;
    const painting = (prompt) => Object.assign(prompt, { box: null, points: [], mask: name });
    editPrompt(painting, frame, object);
  } catch (error) {
    if (sheet === on) dry();
    say(error.message);
  } finally {
    on.busy -= 1;
  }
}

function lay() {
  const { frame, object } = store;
  const { key } = store.open;
  const canvas = blank();
  const ready = load(canvas, frame, object);
  ready.catch(() => {});
  return { canvas, tint: blank(), key, frame, object, ready, busy: 0, last: null, name: null };
}

function dry() {
  sheet = null;
  emit("paint");
}

function blank() {
  const { width, height } = store.open.video;
  return Object.assign(document.createElement("canvas"), { width, height });
}

// The present mask, after all strokes before were taken.
async function load(into, frame, object) {
  const { key } = store.open;
  await posted;
  await settled();
  const address = `/api/labels/${frame}/${object}?k=${key}&t=${Date.now()}`;
  const answer = await ask("GET", address);
  if (answer.status === 200) {
    into.getContext("2d").drawImage(await createImageBitmap(await answer.blob()), 0, 0);
  }
}

export function startPainting() {
  on("frame object", () => {
    endStroke();
    if (sheet) dry();
  });
  on("labels", () => {
    if (sheet?.busy === 0) dry();
  });
  on("mark", () => {
    if (sheet?.busy !== 0) return;
    const { mask } = promptAt(store.mark, sheet.frame, sheet.object);
    if (mask !== sheet.name) dry(); // undone, or refused
  });
}
