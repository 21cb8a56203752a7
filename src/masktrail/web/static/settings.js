// The model's own settings: fields for those there are, as the marks have them.

import { askJson, say } from "./api.js";
import { onEntered, showValue } from "./fields.js";
import { change } from "./marks.js";
import { byId, on, store } from "./store.js";

const known = new Map(); // by model, the promise of what it can be told
let shown = null; // model whose fields are there

export function startSettings() {
  on("mark", () => describe().catch((error) => say(error.message)));
}

async function describe() {
  const { model } = store.mark.settings;
  if (model !== shown) empty();
  const settings = await settingsOf(model);
  if (model !== store.mark.settings.model) return; // another one was chosen meanwhile
  if (model !== shown) {
    shown = model;
    byId("own-fields").replaceChildren(...settings.flatMap(field));
    byId("own").hidden = !settings.length;
  }
  for (const { name, default: usual } of settings) {
    showValue(byId(`setting-${name}`), store.mark.settings.own[name] ?? usual);
  }
}

function empty() {
  shown = null;
  byId("own").hidden = true;
  byId("own-fields").replaceChildren();
}

function settingsOf(model) {
  if (!known.has(model)) {
    const asked = askJson("GET", `/api/settings?model=${encodeURIComponent(model)}`);
    asked.catch(() => known.delete(model)); // asked for again with the next mark
    known.set(model, asked);
  }
  return known.get(model);
}

function field({ name, default: usual, choices, expected }) {
  const label = Object.assign(document.createElement("label"), {
    htmlFor: `setting-${name}`, textContent: name.replaceAll("_", " "),
  });
  const input = document.createElement(choices.length ? "select" : "input");
  Object.assign(input, { id: label.htmlFor, title: `${expected}; ${usual} unless changed` });
  if (choices.length) input.append(...choices.map((choice) => new Option(choice, choice)));
  else Object.assign(input, { type: "text", inputMode: "decimal", autocomplete: "off" });
  onEntered(input, (value) => set(name, value.trim(), usual));
  return [label, input];
}

function set(name, value, usual) {
  change((mark) => {
    if (value === "" || value === usual) delete mark.settings.own[name];
    else mark.settings.own[name] = value;
  });
}
