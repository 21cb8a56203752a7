// Tracking: start, pause, and what comes in meanwhile.

import { askJson, say, trying } from "./api.js";
import { forgetLabels, showLabels } from "./frames.js";
import { settled } from "./marks.js";
import { byId, emit, on, store } from "./store.js";

const EVERY = 300; // milliseconds between two questions

let next = 0;
let polling = false;

export const busy = () => ["loading", "running"].includes(store.run?.state);

export function startRuns() {
  byId("track").addEventListener("click", toggle);
  on("run mark open", describe);
}

// What was just drawn is tracked too: a run begins when the marks are saved.
export async function toggle() {
  if (!busy() && !(await settled())) return;
  await trying(() => askJson("POST", `/api/run${busy() ? "/pause" : ""}?k=${store.open.key}`));
  await lookOnce();
}

// A project was just opened: nothing is known of its run.
export function reset() {
  next = 0;
  store.run = null;
  store.confidence = [];
  store.review = [];
  store.cuts = [];
}

// Asks what is new, and goes on asking while tracking goes on.
async function look() {
  if (polling) return;
  polling = true;
  try {
    do {
      const whole = take(await askJson("GET", `/api/run?since=${next}`));
      if (!whole) continue;
      if (!busy()) break;
      await new Promise((done) => setTimeout(done, EVERY));
    } while (store.open);
  } finally {
    polling = false;
  }
}

// Takes no sentence away that the user has not read.
export const lookOnce = () => look().catch((error) => say(error.message));

// Returns whether that was all: of another run than before everything is asked for again.
function take(run) {
  const { scores, review, cuts, ...state } = run;
  const another = store.run && (state.version !== store.run.version || state.next < next);
  if (another) {
    store.confidence = [];
    store.run = state;
    if (next > 0) {
      next = 0;
      return false;
    }
  }
  const seen = scores.some(([frame]) => frame === store.frame);
  for (const [frame, of] of scores) {
    const values = Object.values(of);
    if (values.length) store.confidence[frame] = Math.min(...values);
  }
  next = state.next;
  store.review = review;
  store.cuts = cuts;
  const before = store.run?.state;
  store.run = state;
  if (before !== state.state) forgetLabels();
  document.body.dataset.run = state.state;
  emit("run");
  if (before && (seen || (before !== state.state && !busy()))) showLabels();
  return true;
}

function describe() {
  const { run, open } = store;
  if (!run || !open) return;
  byId("track").textContent = {
    none: "Track",
    loading: "Pause",
    running: "Pause",
    paused: run.stale ? "Track" : "Continue",
    done: "Track again",
    failed: "Try again",
  }[run.state];
  byId("next-review").disabled = store.review.length + store.cuts.length === 0;
  byId("export-open").disabled = run.version === 0 || busy();
  byId("progress").textContent = told(run);
}

function told(run) {
  const count = run.expected ? `${run.done} of ${run.expected}` : `${run.done}`;
  const speed = run.fps ? `, ${run.fps.toFixed(1)} frames/s` : "";
  const left = run.left === null ? "" : `, ${duration(run.left)} left`;
  const changed = run.stale ? " Marks have changed: track again." : "";
  return {
    none: "",
    loading: "Loading the model …",
    running: run.message ?? `Tracking: ${count} frames${speed}${left}`,
    paused: `Paused.${changed}`,
    done: `Done.${changed} ${run.message ?? ""}`,
    failed: run.message ?? "Failed.",
  }[run.state];
}

function duration(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
