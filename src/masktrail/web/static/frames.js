// Frames and their masks: fetched as they are looked at, a few kept.

import { ask, say } from "./api.js";
import { revision } from "./marks.js";
import { emit, store } from "./store.js";

const KEPT = 24;
const AHEAD = 3;
const PATIENCE = 80; // milliseconds that a frame waits for its masks, so that they do not flicker

const images = new Map(); // by frame, the last used at the end: promise, controller, done
const labels = new Map(); // by frame, run and revision: PNGs and ids, the last used at the end
let labelling = null; // AbortController of the request for masks
let turn = 0; // counts what was asked to be shown; answers to earlier turns are dropped

export function forget() {
  turn += 1;
  labelling?.abort();
  forgetLabels();
  store.image = store.labels = null;
  for (const frame of [...images.keys()]) drop(frame);
}

export const forgetLabels = () => labels.clear();

export async function show(frame) {
  const wanted = Math.min(Math.max(frame, 0), store.open.frames - 1);
  const mine = (turn += 1);
  store.frame = wanted;
  emit("frame");
  leaveOthers(wanted);
  const masks = showLabels();
  try {
    const image = await fetched(wanted);
    await Promise.race([masks, new Promise((done) => setTimeout(done, PATIENCE))]);
    if (mine !== turn) return;
    store.image = image;
    store.shown = wanted;
    document.body.dataset.frame = String(wanted);
    emit("image");
    for (let next = wanted + 1; next <= wanted + AHEAD; next += 1) {
      if (next < store.open.frames) fetched(next).catch(() => {});
    }
  } catch (error) {
    if (mine === turn) say(error.message);
  }
}

export async function showLabels() {
  labelling?.abort();
  labelling = new AbortController();
  const { signal } = labelling;
  const { frame } = store;
  try {
    const [{ png, ids }] = await Promise.all([
      labelsOf(frame, signal),
      fetched(frame).catch(() => null), // so that they come up with their frame
    ]);
    const bitmap = png && (await createImageBitmap(png));
    if (signal.aborted) return;
    store.labels?.bitmap?.close();
    store.labels = { frame, bitmap };
    document.body.dataset.labels = `${frame}:${ids}`;
    emit("labels");
  } catch (error) {
    if (error.name !== "AbortError" && !signal.aborted) say(error.message);
  }
}

// While tracking goes on they change without notice and are not kept.
async function labelsOf(frame, signal) {
  const version = `${store.run?.version ?? 0}-${revision}`;
  const name = `${frame}-${version}`;
  const keep = store.run !== null && !["loading", "running"].includes(store.run.state);
  if (keep && labels.has(name)) return labels.get(name);
  const address = `/api/labels/${frame}?k=${store.open.key}&v=${version}`;
  const answer = await ask("GET", address, undefined, { signal });
  const png = answer.status === 204 ? null : await answer.blob();
  const found = { png, ids: answer.headers.get("X-Objects") ?? "" };
  if (keep && !signal.aborted) {
    labels.set(name, found);
    if (labels.size > KEPT) labels.delete(labels.keys().next().value);
  }
  return found;
}

function fetched(frame) {
  const one = images.get(frame) ?? download(frame);
  images.delete(frame);
  images.set(frame, one);
  for (const old of [...images.keys()].slice(0, -KEPT)) drop(old);
  return one.image;
}

function download(frame) {
  const one = { controller: new AbortController(), done: false };
  one.image = load(frame, one.controller.signal).then(
    (bitmap) => {
      one.done = true;
      return bitmap;
    },
    (error) => {
      if (images.get(frame) === one) images.delete(frame);
      throw error;
    },
  );
  return one;
}

async function load(frame, signal) {
  const address = `/api/frames/${frame}?k=${store.open.key}`;
  const answer = await ask("GET", address, undefined, { signal });
  return createImageBitmap(await answer.blob());
}

// Who drags along the timeline does not wait for the frames passed on the way.
function leaveOthers(wanted) {
  for (const [frame, one] of [...images]) {
    if (!one.done && (frame < wanted || frame > wanted + AHEAD)) drop(frame);
  }
}

function drop(frame) {
  const one = images.get(frame);
  images.delete(frame);
  one.controller.abort();
  one.image.then((bitmap) => bitmap !== store.image && bitmap.close(), () => {});
}
