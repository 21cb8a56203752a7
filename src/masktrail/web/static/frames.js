// Frames and their masks: fetched as they are looked at, a few kept.

import { ask, say } from "./api.js";
import { revision } from "./marks.js";
import { emit, store } from "./store.js";

const KEPT = 24;
const AHEAD = 3;

const images = new Map(); // by frame, promises of bitmaps, the last used at the end
let labelling = null; // AbortController of the request for masks

export function forget() {
  for (const one of images.values()) one.then((bitmap) => bitmap.close()).catch(() => {});
  images.clear();
  store.image = store.labels = null;
}

export async function show(frame) {
  const wanted = Math.min(Math.max(frame, 0), store.open.frames - 1);
  store.frame = wanted;
  emit("frame");
  try {
    const image = await fetched(wanted);
    if (store.frame !== wanted) return;
    store.image = image;
    document.body.dataset.frame = String(wanted);
    emit("image");
    for (let next = wanted + 1; next <= wanted + AHEAD; next += 1) {
      if (next < store.open.frames) fetched(next).catch(() => {});
    }
  } catch (error) {
    if (store.frame === wanted) say(error.message);
  }
  await showLabels();
}

export async function showLabels() {
  labelling?.abort();
  labelling = new AbortController();
  const { signal } = labelling;
  const { frame, open } = store;
  const version = `${store.run?.version ?? 0}-${revision}`;
  const address = `/api/labels/${frame}?k=${open.key}&v=${version}`;
  try {
    const answer = await ask("GET", address, undefined, { signal });
    const bitmap = answer.status === 204 ? null : await createImageBitmap(await answer.blob());
    if (signal.aborted) return;
    store.labels = bitmap;
    document.body.dataset.labels = `${frame}:${answer.headers.get("X-Objects") ?? ""}`;
    emit("labels");
  } catch (error) {
    if (error.name !== "AbortError") say(error.message);
  }
}

function fetched(frame) {
  const known = images.get(frame);
  images.delete(frame);
  const image = known ?? download(frame);
  images.set(frame, image);
  for (const old of images.keys()) {
    if (images.size <= KEPT) break;
    images.delete(old);
  }
  return image;
}

async function download(frame) {
  try {
    const answer = await ask("GET", `/api/frames/${frame}?k=${store.open.key}`);
    return await createImageBitmap(await answer.blob());
  } catch (error) {
    images.delete(frame);
    throw error;
  }
}
