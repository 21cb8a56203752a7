// What the page knows, in one place; parts listen for the topics they draw.

const listeners = new Map();

export const store = {
  open: null, // key, name, video, frames, counted of the open project
  mark: null, // objects, prompts, settings
  run: null, // state of the run, without scores
  confidence: [], // by frame: lowest score of its objects; undefined where not tracked
  review: [], // [frame, object, reason], worst first
  cuts: [], // first frames after cuts
  frame: 0,
  image: null, // bitmap of the frame shown
  shown: 0, // number of that frame; `frame` is the one that was asked for
  labels: null, // frame and bitmap of its masks
  object: 1, // id that marks go to
  tool: "box",
  opacity: 0.5,
  brush: 20,
};

export function on(topics, listener) {
  for (const topic of topics.split(" ")) {
    if (!listeners.has(topic)) listeners.set(topic, []);
    listeners.get(topic).push(listener);
  }
}

export function emit(topic) {
  for (const listener of listeners.get(topic) ?? []) listener();
}

export const byId = (id) => document.getElementById(id);
