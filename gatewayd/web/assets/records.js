// Records newest first, one record with its verdict and basis, one cylinder with its life.

import { ask, reason, tell } from "./ask.js";
import { el, fill, facts } from "./dom.js";
import { both, clockOf, get, known, may, say, word } from "./state.js";

const KINDS = ["fill", "refusal", "check", "alarm", "session", "batch", "movement", "hold", "lock", "acknowledgement", "reconciliation", "witness", "clock"];

function go(name, rest, query) {
  const text = new URLSearchParams([...query].filter(([, value]) => value)).toString();
  location.hash = `#/${name}${rest ? `/${encodeURIComponent(rest)}` : ""}${text ? `?${text}` : ""}`;
}

function chooser(name, label, values, chosen) {
  return el("select", { name, "aria-label": label }, el("option", { value: "" }, `${label}: ${say("page.all")}`),
    values.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
}

export function recordsView(root, _rest, query) {
  const table = el("div", { class: "scroll" });
  const search = el("form", { class: "row", onsubmit: (event) => {
    event.preventDefault();
    go("records", "", new FormData(event.target));
  } },
  chooser("kind", say("page.kind"), KINDS.map((kind) => [kind, word("record", kind)]), query.get("kind")),
  chooser("rig", say("label.rig"), Object.keys(known.station?.rigs ?? {}).map((rig) => [rig, rig]), query.get("rig")),
  el("input", { name: "code", value: query.get("code") ?? "", placeholder: say("page.code"), "aria-label": say("page.code"), "data-scan": "", autocomplete: "off" }),
  el("button", { class: "main" }, say("page.search")));
  root.append(el("section", {}, search), el("section", {}, table));
  load();
  async function load() {
    let told;
    try { told = await get(`/records?${query}`); } catch (error) { tell(error); return; }
    const older = new URLSearchParams(query);
    older.set("before", told.older);
    const newest = new URLSearchParams(query);
    newest.delete("before");
    fill(table,
      told.records.length ? rows(told.records) : el("p", {}, say("page.nothing")),
      el("p", { class: "row" },
        query.get("before") && el("a", { href: `#/records?${newest}` }, say("page.newest")),
        told.older && el("a", { href: `#/records?${older}` }, say("page.older"))));
  }
  return {};
}

function rows(records) {
  return el("table", {},
    el("thead", {}, el("tr", {}, ["#", say("page.time"), say("label.rig"), say("page.kind"), say("label.cylinder"), say("page.what")].map((text) => el("th", {}, text)))),
    el("tbody", {}, records.map((each) => el("tr", {},
      el("td", { class: "tight" }, el("a", { href: `#/record/${each.sequence}` }, each.sequence)),
      el("td", { class: "tight" }, clockOf(each.time)),
      el("td", { class: "tight" }, each.rig),
      el("td", { class: "tight" }, word("record", each.kind)),
      el("td", { class: "tight" }, each.cylinder && el("a", { href: `#/cylinder/${encodeURIComponent(each.cylinder)}` }, each.cylinder)),
      el("td", {}, both(each.gist))))));
}

export function recordView(root, rest) {
  const box = el("div", {});
  root.append(box);
  get(`/records/${encodeURIComponent(rest)}`).then((told) => {
    fill(box,
      el("section", {}, el("h2", {}, `#${told.sequence} ${word("record", told.kind)}`),
        facts([say("page.time"), clockOf(told.time)], [say("label.rig"), told.rig],
          [say("label.cylinder"), told.cylinder && el("a", { class: "code", href: `#/cylinder/${encodeURIComponent(told.cylinder)}` }, told.cylinder)],
          [say("page.what"), both(told.gist)])),
      told.why && why(told.why),
      el("section", {}, el("details", {}, el("summary", {}, say("page.whole")), el("pre", {}, JSON.stringify(told.record, null, 2)))));
  }, tell);
  return {};
}

function why(told) {
  const columns = ["label.reason", "label.message", "label.values", "label.basis", "label.rule"];
  return el("section", {}, el("h3", {}, say("page.why")),
    el("p", { class: `says ${told.allowed ? "allow" : "deny"}` }, el("b", {}, both(told.headline))),
    told.findings.length > 0 && el("div", { class: "scroll" }, el("table", {},
      el("thead", {}, el("tr", {}, columns.map((key) => el("th", {}, say(key))))),
      el("tbody", {}, told.findings.map((found) => el("tr", {},
        el("td", {}, el("b", {}, found.code), el("br"), both(found.title), el("br"), el("span", { class: "soft" }, both(found.does))),
        el("td", {}, both(found.message)),
        el("td", {}, Object.entries(found.values).map(([name, value]) => el("div", {}, `${name} = ${typeof value === "object" ? JSON.stringify(value) : value}`))),
        el("td", {}, found.basis),
        el("td", {}, found.rule, el("br"), el("span", { class: "soft" }, found.pack))))))),
    both(told.sources).map((line) => el("p", { class: "soft" }, line)));
}

export function cylinderView(root, code) {
  const found = el("div", {});
  root.append(el("section", {}, el("form", { class: "row", onsubmit: (event) => {
    event.preventDefault();
    go("cylinder", new FormData(event.target).get("code").trim(), []);
  } }, el("input", { name: "code", value: code, "data-scan": "", placeholder: say("page.code"), "aria-label": say("page.code"), autocomplete: "off", maxlength: "200" }),
  el("button", { class: "main" }, say("page.search")))), found);
  if (code) load();
  async function load() {
    let told;
    try { told = await get(`/cylinders/${encodeURIComponent(code)}`); } catch (error) { tell(error); return; }
    fill(found, told.cylinders.length === 0 ? el("section", {}, say("page.nothing")) : told.cylinders.map((one) => cylinder(one, load)));
  }
  return {};
}

function cylinder(one, again) {
  const act = async (event, what) => {
    const given = await reason(say(`page.${what}`), say("page.reason"));
    if (given && await ask(event.target, `/cylinders/${encodeURIComponent(one.code)}/${what}`, given)) again();
  };
  return el("section", {}, el("h2", { class: "code" }, one.code),
    one.held && el("p", { class: "says deny" }, say("page.held")),
    el("h3", {}, say("page.archive")),
    one.archive ? facts(...Object.entries(one.archive).map(([name, value]) => [name, Array.isArray(value) ? value.join(" ") : String(value)])) : el("p", {}, say("page.not_on_file")),
    may("supervisor") && el("p", { class: "row" },
      el("button", { class: "danger", type: "button", onclick: (event) => act(event, "hold") }, say("page.hold")),
      one.held && el("button", { type: "button", onclick: (event) => act(event, "release") }, say("page.release"))),
    el("h3", {}, say("page.life")),
    el("div", { class: "scroll" }, el("table", {}, el("tbody", {}, one.events.map((event) => el("tr", {},
      el("td", { class: "tight" }, clockOf(event.time)),
      el("td", { class: "tight" }, event.sequence && el("a", { href: `#/record/${event.sequence}` }, `#${event.sequence}`)),
      el("td", { class: "tight" }, word("record", event.kind)),
      el("td", {}, both(event.gist))))))),
    one.left_out > 0 && el("p", { class: "soft" }, say("page.left_out", { count: one.left_out })));
}
