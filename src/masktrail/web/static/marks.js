// The marks: changing them, undo and redo, and saving them, one request at a time.

import { Refused, ask, askJson, say } from "./api.js";
import { emit, store } from "./store.js";

const COLORS = ["#e11d48", "#2563eb", "#16a34a", "#d97706", "#9333ea", "#0891b2", "#db2777",
  "#65a30d", "#475569"];

let past = [];
let future = [];
let saving = null; // promise of what is being saved
let saved = null;

export let revision = 0; // counts what the server has taken

export function begin(mark) {
  past = [];
  future = [];
  revision += 1;
  store.mark = saved = mark;
  store.object = mark.objects[0]?.id ?? 1;
  told();
}

export const canUndo = () => past.length > 0;
export const canRedo = () => future.length > 0;

export function change(edit) {
  const next = structuredClone(store.mark);
  edit(next);
  past.push(store.mark);
  future = [];
  put(next);
}

export function undo() {
  if (!canUndo()) return;
  future.push(store.mark);
  put(past.pop());
}

export function redo() {
  if (!canRedo()) return;
  past.push(store.mark);
  put(future.pop());
}

// What is marked of an object in a frame, never null.
export const promptAt = (mark, frame, id) =>
  mark.prompts[frame]?.[id] ?? { box: null, points: [], mask: null };

export function setPrompt(mark, frame, id, prompt) {
  const of = { ...mark.prompts[frame] };
  if (prompt && (prompt.box || prompt.mask || prompt.points.length)) of[id] = prompt;
  else delete of[id];
  if (Object.keys(of).length) mark.prompts[frame] = of;
  else delete mark.prompts[frame];
}

export function editPrompt(edit, frame = store.frame, object = store.object) {
  if (!store.mark.objects.some((one) => one.id === object)) return;
  change((mark) => {
    const prompt = structuredClone(promptAt(mark, frame, object));
    edit(prompt);
    setPrompt(mark, frame, object, prompt);
  });
}

export function addObject() {
  const used = store.mark.objects.map((one) => one.id);
  let id = 1;
  while (used.includes(id)) id += 1;
  const color = COLORS[(id - 1) % COLORS.length];
  change((mark) => mark.objects.push({ id, name: `object ${id}`, color }));
  store.object = id;
  emit("object");
}

export function removeObject(id) {
  change((mark) => {
    mark.objects = mark.objects.filter((one) => one.id !== id);
    for (const frame of Object.keys(mark.prompts)) setPrompt(mark, frame, id, null);
  });
  store.object = store.mark.objects[0]?.id ?? 0;
  emit("object");
}

function put(mark) {
  store.mark = mark;
  keepObject();
  told();
  save();
}

function keepObject() {
  const ids = store.mark.objects.map((one) => one.id);
  if (!ids.includes(store.object)) store.object = ids[0] ?? 0;
}

// Whether the server has all marks, once it has answered.
export const settled = () => (saved === store.mark ? Promise.resolve(true) : save());

function save() {
  saving ??= send().finally(() => { saving = null; });
  return saving;
}

async function send() {
  let taken = true;
  try {
    while (saved !== store.mark) {
      const sent = store.mark;
      await ask("PUT", `/api/mark?k=${store.open.key}`, sent);
      saved = sent;
      revision += 1;
    }
    say(null);
  } catch (error) {
    taken = false;
    say(error.message);
    if (error instanceof Refused) await goBack();
  }
  told();
  emit("saved");
  return taken;
}

// What the server has counts.
async function goBack() {
  const state = await askJson("GET", "/api/state").catch(() => null);
  if (!state?.open) return;
  past = before(past);
  future = before(future);
  revision += 1;
  store.mark = saved = state.open.mark;
  keepObject();
}

// Of a history, what led to the marks that were taken last.
function before(marks) {
  const place = marks.indexOf(saved);
  return place < 0 ? marks : marks.slice(0, place);
}

function told() {
  document.body.dataset.saved = String(saved === store.mark);
  emit("mark");
}
