// The list of objects: which one marks go to, names, colours.

import { addObject, change, removeObject } from "./marks.js";
import { byId, emit, on, store } from "./store.js";

export function startObjects() {
  byId("add-object").addEventListener("click", addObject);
  on("mark object", fill);
}

export function choose(id) {
  if (!store.mark.objects.some((one) => one.id === id)) return;
  store.object = id;
  emit("object");
}

function fill() {
  const list = byId("objects");
  const focused = document.activeElement?.id;
  list.replaceChildren(...store.mark.objects.map(row));
  if (focused) byId(focused)?.focus();
}

function row(object) {
  const item = document.createElement("li");
  item.className = object.id === store.object ? "chosen" : "";
  const number = element("button", {
    id: `choose-${object.id}`, type: "button", className: "choose", textContent: object.id,
  });
  number.setAttribute("aria-label", `Mark ${object.name}`);
  number.setAttribute("aria-pressed", String(object.id === store.object));
  number.addEventListener("click", () => choose(object.id));
  const color = element("input", { id: `color-${object.id}`, type: "color", value: object.color });
  color.setAttribute("aria-label", `Colour of ${object.name}`);
  color.addEventListener("change", () => edit(object.id, { color: color.value }));
  const name = element("input", {
    id: `name-${object.id}`, type: "text", value: object.name, maxLength: 80,
  });
  name.setAttribute("aria-label", `Name of object ${object.id}`);
  name.addEventListener("focus", () => object.id !== store.object && choose(object.id));
  name.addEventListener("change", () => edit(object.id, { name: name.value }));
  const remove = element("button", {
    id: `remove-${object.id}`, type: "button", className: "choose", textContent: "×",
  });
  remove.setAttribute("aria-label", `Remove ${object.name}`);
  remove.addEventListener("click", () => removeObject(object.id));
  item.append(number, color, name, remove);
  return item;
}

const element = (name, fields) => Object.assign(document.createElement(name), fields);

const edit = (id, fields) =>
  change((mark) => Object.assign(mark.objects.find((one) => one.id === id), fields));
