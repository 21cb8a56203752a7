// Downloads: choose formats, wait, fetch.

import { askJson, trying } from "./api.js";
import { byId, on, store } from "./store.js";

const CHOSEN = ["davis", "csv", "overlay"];

const dialog = byId("export");

export function startExports() {
  byId("export-open").addEventListener("click", () => dialog.showModal());
  byId("export-start").addEventListener("click", make);
  on("open", fill);
}

function fill() {
  byId("downloads").replaceChildren();
  byId("export-progress").textContent = "";
  byId("formats").replaceChildren(...store.exports.map((one) => {
    const label = document.createElement("label");
    const box = Object.assign(document.createElement("input"), {
      type: "checkbox", value: one.name, checked: CHOSEN.includes(one.name),
    });
    label.append(box, `${one.name}: ${one.about}`);
    return label;
  }));
}

const make = () =>
  trying(async () => {
    const wanted = [...byId("formats").querySelectorAll("input:checked")].map((one) => one.value);
    byId("downloads").replaceChildren();
    byId("export-start").disabled = true;
    try {
      await follow(await askJson("POST", `/api/export?k=${store.open.key}`, { exports: wanted }));
    } catch (error) {
      byId("export-progress").textContent = error.message;
    } finally {
      byId("export-start").disabled = false;
    }
  });

async function follow(told) {
  while (told.state === "running") {
    const of = told.expected ? ` ${told.done} of ${told.expected}` : "";
    byId("export-progress").textContent = `Writing${of} …`;
    await new Promise((done) => setTimeout(done, 300));
    told = await askJson("GET", "/api/export");
  }
  byId("export-progress").textContent = told.message ?? "Ready:";
  byId("downloads").replaceChildren(...told.files.map(link));
}

function link(file) {
  const item = document.createElement("li");
  const anchor = document.createElement("a");
  anchor.href = `/api/export/${file.export}`;
  anchor.download = file.name;
  anchor.textContent = `${file.name} (${size(file.bytes)})`;
  item.append(anchor);
  return item;
}

function size(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
