// Playing: frame after frame, as fast as the video or as the frames come.

import { show } from "./frames.js";
import { byId, store } from "./store.js";

let playing = false;
let turn = 0; // so that of two that were begun quickly only the last plays

export function togglePlay() {
  playing = !playing;
  const button = byId("play");
  button.setAttribute("aria-pressed", String(playing));
  button.textContent = playing ? "Stop" : "Play";
  turn += 1;
  if (playing) play(turn);
}

async function play(mine) {
  if (store.frame >= store.open.frames - 1) await show(0);
  while (mine === turn && store.open) {
    const due = performance.now() + 1000 / store.open.video.fps;
    await show(store.frame + 1);
    if (!store.open || store.frame >= store.open.frames - 1) break;
    await new Promise((done) => setTimeout(done, Math.max(0, due - performance.now())));
  }
  if (mine === turn) togglePlay();
}
