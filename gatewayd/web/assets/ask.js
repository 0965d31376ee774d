// How the page asks a person, and tells what came of it.

import { el, fill } from "./dom.js";
import { both, known, post, say } from "./state.js";

const SAID_MS = 6000;
const NAME = "gatewayd.name";
let timer = 0;

export function tell(error) {
  show(error?.error ? both(error.error.message) : say("page.failed_to_send"), "bad");
}

export function show(text, kind = "") {
  const node = document.getElementById("said");
  fill(node, el("span", { class: kind }, text));
  clearTimeout(timer);
  timer = setTimeout(() => fill(node), SAID_MS);
}

// Ask the gateway for something; the button rests meanwhile, so that nothing is asked twice.
export async function ask(button, path, body = {}) {
  button && (button.disabled = true);
  try {
    const answer = await post(path, body);
    show(say("page.done"));
    return answer;
  } catch (error) {
    tell(error);
    return null;
  } finally {
    button && (button.disabled = false);
  }
}

// A reason, and a name where nobody is logged in at the page; null when the person thinks better.
export function reason(title, label, { required = true } = {}) {
  return new Promise((done) => {
    const text = el("input", { name: "reason", required, maxlength: "200", autocomplete: "off" });
    const name = known.me.asks ? null : el("input", { name: "name", required: true, maxlength: "64", autocomplete: "off" });
    if (name) name.value = sessionStorage.getItem(NAME) ?? "";
    const dialog = el("dialog", { "aria-label": title, onclose: () => { dialog.remove(); done(null); } },
      el("form", {
        class: "stack",
        onsubmit: (event) => {
          event.preventDefault();
          if (name) sessionStorage.setItem(NAME, name.value);
          done({ reason: text.value, name: name?.value ?? "" });
          dialog.close();
        },
      },
      el("h2", {}, title), el("label", {}, label, text), name && el("label", {}, say("page.your_name"), name),
      el("div", { class: "row" }, el("button", { class: "main" }, title),
        el("button", { type: "button", onclick: () => dialog.close() }, say("page.cancel")))));
    document.body.append(dialog);
    dialog.showModal();
    text.focus();
  });
}
