// Playing: frame after frame, as fast as the video or as the frames come.

import { show } from "./frames.js";
import { byId, store } from "./store.js";

let playing = false;

export function togglePlay() {
  playing = !playing;
  const button = byId("play");
  button.setAttribute("aria-pressed", String(playing));
  button.textContent = playing ? "Stop" : "Play";
  if (playing) play();
}

async function play() {
  if (store.frame >= store.open.frames - 1) await show(0);
  while (playing && store.open) {
    const due = performance.now() + 1000 / store.open.video.fps;
    await show(store.frame + 1);
    if (!store.open || store.frame >= store.open.frames - 1) break;
    await new Promise((done) => setTimeout(done, Math.max(0, due - performance.now())));
  }
  if (playing) togglePlay();
}
