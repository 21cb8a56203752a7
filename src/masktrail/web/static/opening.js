// The start screen: demo, upload, folders, projects; and what opening one does.

import { Refused, askJson, say, trying } from "./api.js";
import { forget, show } from "./frames.js";
import { begin, settled } from "./marks.js";
import { lookOnce, reset } from "./run.js";
import { byId, emit, store } from "./store.js";
import { fit } from "./view.js";

let uploadLimit = 0; // MB

export function startOpening() {
  byId("open-demo").addEventListener("click", () => open({ demo: true }));
  byId("open-other").addEventListener("click", close);
  byId("upload").addEventListener("change", (event) => upload(event.target.files[0]));
  const start = byId("start");
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    start.classList.add("dropping");
  });
  document.addEventListener("dragleave", () => start.classList.remove("dropping"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    start.classList.remove("dropping");
    if (event.dataTransfer.files.length) upload(event.dataTransfer.files[0]);
  });
  return trying(async () => arrive(await askJson("GET", "/api/state"), true));
}

const open = (what) =>
  trying(async () => {
    say("Opening …");
    await leave();
    await arrive(await askJson("POST", "/api/open", what));
  });

const close = () =>
  trying(async () => {
    await leave();
    await arrive(await askJson("POST", `/api/close?k=${store.open?.key ?? ""}`));
  });

// The last mark is saved with its own project, not with the next one.
const leave = async () => store.open && settled();

async function arrive(state, first = false) {
  store.open = state.open;
  store.exports = state.exports;
  uploadLimit = state.upload_limit_mb;
  for (const id of ["work", "export-open", "open-other"]) byId(id).hidden = !state.open;
  byId("start").hidden = Boolean(state.open);
  byId("name").textContent = state.open?.name ?? "";
  document.title = state.open ? `${state.open.name} – MaskTrail` : "MaskTrail";
  if (!state.open) return startScreen(state);
  forget();
  reset();
  fillModels(state.models);
  begin(state.open.mark);
  emit("open");
  fit();
  const asked = first ? Number(/f=(\d+)/.exec(location.hash)?.[1] ?? 0) : 0;
  lookOnce();
  await show(asked);
  count(asked).catch((error) => say(error.message));
}

function fillModels(models) {
  byId("model").replaceChildren(...models.map((name) => new Option(name, name)));
}

// The timeline grows while frames are counted; a frame asked for may come late.
async function count(asked) {
  const begun = store.frame;
  while (store.open && !store.open.counted) {
    await new Promise((done) => setTimeout(done, 500));
    const state = await askJson("GET", "/api/state");
    if (state.open?.key !== store.open?.key) return;
    Object.assign(store.open, { frames: state.open.frames, counted: state.open.counted });
    emit("open");
    const due = store.open.frames > asked || store.open.counted;
    if (due && asked > begun && store.frame === begun) await show(asked);
  }
}

function startScreen(state) {
  document.body.dataset.run = "none";
  const projects = state.projects.map((one) =>
    entry(`${one.name} (${one.video})`, () => open({ project: one.name })));
  byId("projects").replaceChildren(...(projects.length ? projects : [plain("Nothing yet.")]));
  return list(state.roots.length === 1 ? state.roots[0] : "");
}

async function list(path) {
  const told = await askJson("GET", `/api/files?path=${encodeURIComponent(path)}`);
  byId("folder").textContent = told.path;
  const rows = told.entries.map((one) =>
    one.kind === "folder"
      ? entry(`${one.name}/`, () => trying(() => list(one.path)))
      : entry(one.name, () => open({ path: one.path })));
  if (told.parent !== null && path) {
    rows.unshift(entry("Up", () => trying(() => list(told.parent))));
  }
  byId("files").replaceChildren(...(rows.length ? rows : [plain("No videos here.")]));
}

function entry(text, act) {
  const item = document.createElement("li");
  const button = Object.assign(document.createElement("button"), { type: "button" });
  button.textContent = text;
  button.addEventListener("click", act);
  item.append(button);
  return item;
}

const plain = (text) => Object.assign(document.createElement("li"), { textContent: text });

// XMLHttpRequest alone tells how much was sent.
function upload(file) {
  if (!file) return;
  if (file.size > uploadLimit * 2 ** 20) {
    say(`${file.name} is larger than ${uploadLimit} MB, the limit; open it from disk.`);
    return;
  }
  const sending = new XMLHttpRequest();
  const progress = byId("upload-progress");
  sending.open("POST", `/api/upload?name=${encodeURIComponent(file.name)}`);
  sending.upload.addEventListener("progress", (event) => {
    progress.textContent = `Uploading: ${Math.round((100 * event.loaded) / event.total)} %`;
  });
  sending.addEventListener("loadend", () => {
    progress.textContent = "";
    byId("upload").value = "";
    trying(() => {
      if (!sending.status) throw new Refused("The upload was cut off; try again.");
      const told = JSON.parse(sending.responseText);
      if (sending.status !== 200) throw new Refused(told.detail);
      return arrive(told);
    });
  });
  sending.send(file);
}
