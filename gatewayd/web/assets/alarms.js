// The alarms that stand, and how a supervisor answers for one.

import { ask, reason } from "./ask.js";
import { el, facts, keepOnly, part } from "./dom.js";
import { both, clockOf, known, may, say, word } from "./state.js";

const ORDER = ["critical", "warning", "info"];

export function standing() {
  return Object.entries(known.topics)
    .filter(([topic]) => topic.startsWith("alarms/"))
    .map(([, alarm]) => alarm)
    .sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity) || (a.since < b.since ? 1 : -1));
}

export function alarmsView(root) {
  const list = el("div", { class: "cards" });
  root.append(list);
  return {
    update() {
      const all = standing();
      const keys = all.map((alarm) => `${alarm.kind}.${alarm.subject}`);
      all.forEach((alarm, i) => part(list, keys[i], [alarm, known.language, known.me], () => card(alarm)));
      if (all.length === 0) part(list, "none", known.language, () => el("p", { class: "says allow" }, say("page.no_alarms")));
      keepOnly(list, all.length ? keys : ["none"]);
    },
  };
}

function card(alarm) {
  const answer = async (event) => {
    const given = await reason(say("page.acknowledge"), say("page.note"), { required: false });
    if (!given) return;
    ask(event.target, "/alarms/acknowledge", { kind: alarm.kind, subject: alarm.subject, note: given.reason, name: given.name });
  };
  return el("article", { class: `card alarm ${alarm.severity}` },
    el("h2", {}, both(alarm.title)),
    el("p", {}, el("b", {}, word("page.severity", alarm.severity)), ` · ${alarm.subject}`),
    alarm.detail && el("p", { class: "says deny" }, alarm.detail),
    facts(
      [say("page.cause"), both(alarm.cause)],
      [say("page.todo"), both(alarm.todo)],
      [say("page.since"), clockOf(alarm.since)],
      [say("page.times"), alarm.count > 1 ? alarm.count : null],
      [say("page.gone"), clockOf(alarm.gone_at)]),
    alarm.acknowledged
      ? el("p", { class: "says allow" }, el("b", {}, say("page.answered", { who: alarm.acknowledged.by })), alarm.acknowledged.note)
      : may("supervisor") && el("button", { class: "main", type: "button", onclick: answer }, say("page.acknowledge")));
}
