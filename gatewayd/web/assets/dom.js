// Makes elements. Text is always text: nothing here, and nowhere else, parses HTML.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && typeof value !== "string") node[name] = value;
    else node.setAttribute(name, value);
  }
  put(node, children);
  return node;
}

function put(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false || child === "") continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

export function fill(node, ...children) {
  node.replaceChildren();
  put(node, children);
}

// Build the part named `key` of a container again only when `signature` changed: whoever types
// into another part, or into this one while nothing changed, is not disturbed.
export function part(container, key, signature, build) {
  const text = JSON.stringify(signature) ?? "";
  let node = [...container.children].find((child) => child.dataset.part === key);
  if (node && node.partSignature === text) return node;
  const made = build() ?? el("div", { hidden: true });
  made.dataset.part = key;
  made.partSignature = text;
  if (node) node.replaceWith(made);
  else container.append(made);
  return made;
}

export function keepOnly(container, keys) {
  for (const child of [...container.children]) {
    if (!keys.includes(child.dataset.part)) child.remove();
  }
}

export function facts(...pairs) {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== null && value !== false && value !== "");
  return shown.length ? el("dl", {}, shown.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])) : null;
}
