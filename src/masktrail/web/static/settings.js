// The model's own settings: fields for those there are, as the marks have them.

import { askJson, say } from "./api.js";
import { change } from "./marks.js";
import { byId, on, store } from "./store.js";

const known = new Map(); // by model, what it can be told
let shown = null; // model whose fields are there

export function startSettings() {
  on("mark", () => describe().catch((error) => say(error.message)));
}

async function describe() {
  const { model } = store.mark.settings;
  if (!known.has(model)) {
    known.set(model, await askJson("GET", `/api/settings?model=${encodeURIComponent(model)}`));
  }
  if (model !== store.mark.settings.model) return; // another one was chosen meanwhile
  if (model !== shown) {
    shown = model;
    byId("own-fields").replaceChildren(...known.get(model).flatMap(field));
    byId("own").hidden = !known.get(model).length;
  }
  for (const { name, default: usual } of known.get(model)) {
    byId(`setting-${name}`).value = store.mark.settings.own[name] ?? usual;
  }
}

function field({ name, default: usual, choices, expected }) {
  const label = Object.assign(document.createElement("label"), {
    htmlFor: `setting-${name}`, textContent: name.replaceAll("_", " "),
  });
  const input = document.createElement(choices.length ? "select" : "input");
  Object.assign(input, { id: label.htmlFor, title: `${expected}; ${usual} unless changed` });
  if (choices.length) input.append(...choices.map((choice) => new Option(choice, choice)));
  else Object.assign(input, { type: "text", inputMode: "decimal", autocomplete: "off" });
  input.addEventListener("change", () => set(name, input.value.trim(), usual));
  return [label, input];
}

function set(name, value, usual) {
  change((mark) => {
    if (value === "" || value === usual) delete mark.settings.own[name];
    else mark.settings.own[name] = value;
  });
}
