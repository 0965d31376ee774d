// One rig: who works there, its checks, a refusal, its batch, its lock.

import { ask, reason, show } from "./ask.js";
import { el, keepOnly, part } from "./dom.js";
import { rigCard } from "./overview.js";
import { both, known, may, say } from "./state.js";

export function rigView(root, rig) {
  const side = el("div", { class: "side" });
  const left = el("div", {});
  const right = el("div", { class: "column" });
  side.append(left, right);
  root.append(side);
  const path = `/rigs/${encodeURIComponent(rig)}`;
  return {
    update() {
      const asked = known.station?.rigs[rig];
      if (!asked) return;
      const state = known.topics[`rigs/${rig}/state`] ?? {};
      rigCard(left, rig, { link: false });
      keepOnly(left, [rig]);
      if (!may("operator")) return;
      people(right, path, asked, state);
      refusal(right, path, state);
      for (const [key, check] of checks(rig, asked, state)) form(right, path, key, check);
      batch(right, path, asked, state);
      lock(right, path, state);
    },
  };
}

function people(container, path, asked, state) {
  part(container, "people", [asked.operator, state.operator?.id, known.language], () => {
    if (!asked.operator) return null;
    const card = el("input", { name: "card", "data-scan": "", autocomplete: "off", spellcheck: "false", maxlength: "128", "aria-label": say("page.card"), placeholder: say("page.card") });
    const send = el("button", { class: "main" }, say("page.rig_log_in"));
    return el("section", {}, el("h3", {}, say("page.operator")),
      el("form", { class: "row", onsubmit: async (event) => {
        event.preventDefault();
        if (!card.value.trim()) return;
        const text = card.value;
        card.value = "";
        await ask(send, `${path}/login`, { card: text });
        card.focus();
      } }, card, send),
      state.operator && el("p", { class: "row" }, el("b", {}, state.operator.name ?? state.operator.id),
        el("button", { type: "button", onclick: (event) => ask(event.target, `${path}/logout`) }, say("page.rig_log_out"))));
  });
}

function refusal(container, path, state) {
  part(container, "refusal", [state.state === "refused", known.language], () => state.state !== "refused" ? null :
    el("section", {}, el("button", { class: "danger", type: "button", onclick: (event) => ask(event.target, `${path}/acknowledge`) },
      say("page.acknowledge_refusal"))));
}

// The checks that a person may answer now: of the cylinder that stands here, of fills that wait.
function checks(rig, asked, state) {
  const told = known.more.checks?.[rig];
  const pre = known.station.forms[asked.precheck];
  const due = told?.due?.[0];
  const post = due && known.station.forms[due.form];
  const subject = pre?.scope === "batch" ? state.batch : state.cylinder?.owner !== undefined ? state.cylinder.code : null;
  return [
    ["postcheck", post ? { title: say("page.postcheck"), name: due.form, form: post, subject: due.cylinder, fill: due.fill_id, result: "none" } : null],
    ["precheck", pre ? { title: say("page.precheck"), name: asked.precheck, form: pre, subject, fill: "", result: told?.precheck || "none" } : null],
  ];
}

function form(container, path, key, check) {
  const signature = check && [check.name, check.subject, check.fill, check.result, check.form];
  part(container, key, [signature, known.language], () => {
    if (!check || !check.subject) return null;
    const open = check.result === "none";
    const fields = el("form", { hidden: !open, onsubmit: (event) => send(event, path, check) },
      check.form.items.map((item) => field(item)),
      el("button", { class: "main" }, say("page.send_check")));
    const again = open ? null : el("button", { type: "button", onclick: (event) => { fields.hidden = false; event.target.remove(); } }, say("page.answer_again"));
    return el("section", { "data-check": key },
      el("h3", {}, check.title, " · ", both(check.form.title)),
      el("p", { class: "code" }, check.subject),
      check.result !== "none" && el("p", { class: `says ${check.result === "passed" ? "allow" : "deny"}` }, say(`page.check.${check.result}`)),
      again, fields);
  });
}

function field(item) {
  const optional = item.optional ? el("small", { class: "soft" }, ` (${say("page.optional")})`) : null;
  if (item.kind === "number") {
    const hint = `${item.least} … ${item.most} ${item.unit}`;
    return el("div", { class: "item" }, el("p", {}, both(item.text), optional),
      el("div", { class: "row" }, el("input", { name: item.id, type: "number", step: "1", min: String(item.least), max: String(item.most), required: !item.optional, "aria-label": both(item.text), onkeydown: noEnter }),
        el("span", { class: "soft" }, hint)));
  }
  const choices = item.kind === "choice"
    ? item.choices.map((choice) => [choice.id, both(choice.text), item.blocks.includes(choice.id)])
    : ["yes", "no"].map((answer) => [answer, say(`page.${answer}`), item.blocks === answer]);
  return el("div", { class: "item", role: "radiogroup", "aria-label": both(item.text) }, el("p", {}, both(item.text), optional),
    el("div", { class: "choices" }, choices.map(([id, text, blocks]) => el("label", {},
      el("input", { type: "radio", name: item.id, value: id, class: blocks ? "blocks" : "", required: !item.optional, onkeydown: noEnter }),
      el("span", {}, text)))));
}

// A scanner ends with Enter: that must not send a check that a person has not finished.
function noEnter(event) {
  if (event.key === "Enter") event.preventDefault();
}

async function send(event, path, check) {
  event.preventDefault();
  const answers = {};
  const given = new FormData(event.target);
  for (const item of check.form.items) {
    const value = given.get(item.id);
    if (value === null || value === "") continue;
    answers[item.id] = item.kind === "number" ? Number(value) : value;
  }
  if (Object.keys(answers).length === 0) { show(say("page.not_all"), "bad"); return; }
  await ask(event.submitter, `${path}/check`, { form: check.name, answers, fill_id: check.fill });
}

function batch(container, path, asked, state) {
  part(container, "batch", [state.batch, asked.automatic_batch, known.language], () => {
    const number = el("input", { name: "number", autocomplete: "off", maxlength: "64", "aria-label": say("page.batch_number"), placeholder: say("page.batch_number") });
    return el("section", {}, el("h3", {}, say("page.batch")),
      el("p", { class: "code" }, state.batch ?? say("page.no_batch"), asked.automatic_batch && el("small", { class: "soft" }, ` ${say("page.automatic")}`)),
      !asked.automatic_batch && el("form", { class: "row", onsubmit: (event) => {
        event.preventDefault();
        if (number.value.trim()) ask(event.submitter, `${path}/batch/open`, { number: number.value });
      } }, number, el("button", {}, say("page.open_batch")),
      state.batch && el("button", { type: "button", onclick: (event) => ask(event.target, `${path}/batch/close`) }, say("page.close_batch"))));
  });
}

function lock(container, path, state) {
  part(container, "lock", [state.lock, known.language, known.me?.role], () => {
    if (!may("supervisor")) return null;
    const act = async (event, what) => {
      const given = await reason(say(`page.${what}`), say("page.reason"));
      if (given) ask(event.target, `${path}/${what}`, given);
    };
    return el("section", {}, el("h3", {}, say("page.lock")),
      state.lock && el("p", { class: "says deny" }, `${state.lock.reason} · ${state.lock.by}`),
      state.lock
        ? el("button", { type: "button", onclick: (event) => act(event, "unlock") }, say("page.unlock"))
        : el("button", { class: "danger", type: "button", onclick: (event) => act(event, "lock") }, say("page.lock")));
  });
}
