// The list of objects: which one marks go to, names, colours.

import { onEntered, showValue } from "./fields.js";
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

// Rows stay as long as their objects do: one of them may be typed in.
function fill() {
  const list = byId("objects");
  const rows = store.mark.objects.map((object) => byId(`object-${object.id}`) ?? row(object.id));
  for (const item of [...list.children]) if (!rows.includes(item)) item.remove();
  rows.forEach((item, place) => {
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
    draw(item, store.mark.objects[place]);
  });
}

function row(id) {
  const item = element("li", { id: `object-${id}` });
  const number = element("button", { className: "choose", type: "button", textContent: id });
  number.id = `choose-${id}`;
  number.addEventListener("click", () => choose(id));
  const color = element("input", { id: `color-${id}`, type: "color" });
  onEntered(color, (value) => edit(id, { color: value }));
  const name = element("input", { id: `name-${id}`, type: "text", maxLength: 80 });
  name.setAttribute("aria-label", `Name of object ${id}`);
  name.addEventListener("focus", () => id !== store.object && choose(id));
  onEntered(name, (value) => edit(id, { name: value }));
  const remove = element("button", { className: "choose", type: "button", textContent: "×" });
  remove.id = `remove-${id}`;
  remove.addEventListener("click", () => removeObject(id));
  item.append(number, color, name, remove);
  return item;
}

function draw(item, object) {
  const [number, color, name, remove] = item.children;
  const chosen = object.id === store.object;
  item.className = chosen ? "chosen" : "";
  number.setAttribute("aria-label", `Mark ${object.name}`);
  number.setAttribute("aria-pressed", String(chosen));
  color.setAttribute("aria-label", `Colour of ${object.name}`);
  showValue(color, object.color);
  showValue(name, object.name);
  remove.setAttribute("aria-label", `Remove ${object.name}`);
}

const element = (name, fields) => Object.assign(document.createElement(name), fields);

const edit = (id, fields) =>
  change((mark) => Object.assign(mark.objects.find((one) => one.id === id), fields));
