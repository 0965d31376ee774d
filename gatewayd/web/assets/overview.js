// The station at a glance: rigs, alarms, devices, platforms.

import { standing } from "./alarms.js";
import { el, facts, keepOnly, part } from "./dom.js";
import { both, clockOf, kg, known, say, word } from "./state.js";

export function overviewView(root) {
  const cards = el("div", { class: "cards" });
  const rest = el("div", { class: "side" });
  root.append(cards, el("p", {}), rest);
  return {
    update() {
      const rigs = Object.keys(known.station?.rigs ?? {});
      for (const rig of rigs) rigCard(cards, rig, { link: true });
      keepOnly(cards, rigs);
      devices(rest);
      upstreams(rest);
      points(rest);
    },
  };
}

// One rig as everybody sees it; only what changed is drawn again, the weight most of all.
export function rigCard(container, rig, { link }) {
  const state = known.topics[`rigs/${rig}/state`] ?? { state: "locked", findings: [], waiting: [] };
  const alarms = standing().filter((alarm) => alarm.rig === rig);
  const card = part(container, rig, [state, alarms, known.language, known.station?.rigs[rig], link], () => build(rig, state, alarms, link));
  weigh(card, rig, state);
  return card;
}

function build(rig, state, alarms, link) {
  const asked = known.station?.rigs[rig] ?? {};
  return el("article", { class: `card ${state.state}`, "data-rig": rig },
    el("div", { class: "top" },
      el("h2", {}, rig, " ", el("small", { class: "soft" }, asked.medium)),
      el("span", { class: "state" }, word("rig", state.state))),
    el("div", { class: "weight" }),
    el("progress", { hidden: true }),
    cylinder(state.cylinder),
    verdict(state),
    (state.waiting ?? []).map((each) => el("p", { class: "says wait" }, both(each.message))),
    state.notice && el("p", { class: "says warn" }, both(state.notice.message)),
    facts(
      [say("page.fault"), state.fault],
      [say("page.operator"), asked.operator && person(state.operator)],
      [say("page.batch"), state.batch],
      [say("page.locked_by"), state.lock && `${state.lock.by} · ${clockOf(state.lock.since)}`]),
    alarms.map((alarm) => el("p", { class: "says deny" }, el("b", {}, both(alarm.title)), alarm.detail)),
    link && el("p", { class: "low" }, el("a", { class: "press", href: `#/rig/${encodeURIComponent(rig)}` }, say("page.open_rig"))));
}

function person(operator) {
  if (!operator) return say("page.nobody");
  return `${operator.name ?? operator.id} · ${say("page.until")} ${clockOf(operator.until).slice(11, 16)}`;
}

function cylinder(one) {
  if (!one) return el("p", { class: "soft" }, say("page.no_cylinder"));
  const code = one.code ?? one.tag_uid ?? "?";
  return el("div", {},
    el("a", { class: "code", href: `#/cylinder/${encodeURIComponent(code)}` }, code),
    facts([say("page.owner"), one.owner], [say("page.next_inspection"), one.next_inspection_on]));
}

function verdict(state) {
  const found = (state.findings ?? []).map((each) => el("p", { class: `says ${each.severity}` }, both(each.message)));
  if (state.verdict === "allow") return [el("p", { class: "says allow" }, say("verdict.allow")), found];
  return found;
}

function weigh(card, rig, state) {
  const live = known.weights[rig] ?? state;
  const flows = ["filling", "settling", "permitted"].includes(state.state);
  const box = card.querySelector(".weight");
  const key = JSON.stringify([live.gross_g, live.net_g, live.stable, flows, state.target_g, known.language]);
  if (box.drawn === key) return;
  box.drawn = key;
  box.classList.toggle("moving", live.stable === false);
  const unit = (text) => el("small", {}, ` kg ${text}`);
  if (flows && Number.isInteger(state.target_g)) {
    box.replaceChildren(kg(live.net_g), unit(`${say("label.net")} / ${kg(state.target_g)} kg ${say("label.target")}`));
  } else box.replaceChildren(kg(live.gross_g), unit(say("label.gross")));
  const bar = card.querySelector("progress");
  bar.hidden = !flows || !Number.isInteger(state.target_g);
  if (!bar.hidden) { bar.max = state.target_g; bar.value = Math.max(0, Math.min(live.net_g ?? 0, state.target_g)); }
}

function named(prefix) {
  return Object.keys(known.topics)
    .filter((topic) => topic.startsWith(prefix) && topic.split("/").length === 3)
    .sort()
    .map((topic) => [topic.split("/")[1], known.topics[topic]]);
}

function devices(container) {
  const all = named("devices/");
  part(container, "devices", [all.map(([name, d]) => [name, d.state, d.error, d.troubles]), known.language], () =>
    el("section", {}, el("h3", {}, say("label.devices")),
      el("ul", { class: "plain" }, all.map(([name, device]) => el("li", {},
        el("span", { class: `dot ${device.state}` }), el("b", {}, name), ` ${word("device", device.state)} `,
        device.error && el("span", { class: "soft" }, device.error),
        (device.troubles ?? []).map((trouble) => el("p", { class: "says warn" }, both(trouble.message))))))));
}

function upstreams(container) {
  const all = named("upstreams/");
  part(container, "upstreams", [all, known.more.backlog, known.language], () => all.length === 0 ? null :
    el("section", {}, el("h3", {}, say("label.upstreams")),
      el("ul", { class: "plain" }, all.map(([name, one]) => el("li", {},
        el("span", { class: `dot ${one.state}` }), el("b", {}, name), ` ${word("page.upstream", one.state)} `,
        el("span", {}, `· ${say("page.backlog")} ${known.more.backlog?.[name] ?? "?"}`),
        one.dead_letters ? ` · ${say("page.dead_letters")} ${one.dead_letters}` : "",
        one.error && el("p", { class: "says warn" }, one.error))))));
}

function points(container) {
  const all = named("points/");
  part(container, "points", [all, known.language], () => all.length === 0 ? null :
    el("section", {}, el("h3", {}, say("page.points")),
      el("ul", { class: "plain" }, all.map(([name, point]) => el("li", {},
        el("span", { class: `dot ${point.state}` }), el("b", {}, name), " ", point.cylinder?.code ?? "", " ",
        both(point.message),
        (point.findings ?? []).map((found) => el("p", { class: `says ${found.severity}` }, both(found.message))))))));
}

