// The page: head, routes, and what is told to a person. Each view is a file.

import { alarmsView, standing } from "./alarms.js";
import { el, fill } from "./dom.js";
import { live } from "./live.js";
import { overviewView } from "./overview.js";
import { cylinderView, recordView, recordsView } from "./records.js";
import { rigView } from "./rig.js";
import { both, clockOf, known, loadTexts, post, say, setLanguage, word } from "./state.js";
import { tell } from "./ask.js";

const THEME = "gatewayd.theme";
const main = document.getElementById("main");
let view = null;
let route = null;

const VIEWS = { "": overviewView, rig: rigView, alarms: alarmsView, records: recordsView, record: recordView, cylinder: cylinderView };

function here() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/").map(decodeURIComponent);
  return { name: name in VIEWS ? name : "", rest: rest.join("/"), query: new URLSearchParams(query ?? "") };
}

function enter() {
  if (known.me === null) return;
  route = location.hash;
  const { name, rest, query } = here();
  fill(main);
  view = VIEWS[name](main, rest, query);
  main.focus({ preventScroll: true });
  draw();
}

function draw() {
  head();
  banner();
  main.classList.toggle("old", known.me !== null && !known.live);
  if (known.me === null) return;
  if (view === null || route !== location.hash) enter();
  else view.update?.();
}

function head() {
  const { name } = here();
  const alarms = standing().filter((alarm) => !alarm.acknowledged).length;
  const link = (path, key, current, ...more) =>
    el("a", { href: `#/${path}`, "aria-current": current ? "page" : null }, say(key), more);
  const clock = known.topics.clock?.state;
  const signature = JSON.stringify([name, alarms, known.language, known.me, known.at, clock, known.station?.station]);
  const node = document.getElementById("head");
  if (node.drawn === signature) return;
  node.drawn = signature;
  const focused = node.contains(document.activeElement) ? document.activeElement.id || document.activeElement.getAttribute("href") : null;
  fill(node,
    el("h1", {}, known.station?.station.name || known.station?.station.id || "gatewayd"),
    known.me && el("nav", {},
      link("", "page.overview", name === "" || name === "rig"),
      link("alarms", "page.alarms", name === "alarms", alarms ? el("span", { class: "count" }, alarms) : null),
      link("records", "page.records", name === "records" || name === "record"),
      link("cylinder", "page.cylinders", name === "cylinder")),
    known.at && el("span", { id: "clock", title: clock ? word("page.clock", clock) : "" },
      clock && el("span", { class: `dot ${clock}` }), clockOf(known.at)),
    el("button", { id: "language", type: "button", onclick: () => { setLanguage(known.language === "zh" ? "en" : "zh"); enter(); draw(); } },
      known.language === "zh" ? "English" : "中文"),
    el("button", { id: "theme", type: "button", onclick: theme }, say("page.theme")),
    known.me?.asks && el("button", { id: "logout", type: "button", onclick: leave }, `${known.me.user} · ${say("page.log_out")}`));
  if (focused) (document.getElementById(focused) ?? node.querySelector(`[href="${CSS.escape(focused)}"]`))?.focus();
}

function banner() {
  const node = document.getElementById("banner");
  let text = "";
  if (known.me?.full && !known.live) text = say("web.too_many_pages");
  else if (known.me !== null && !known.live) text = known.at ? say("page.lost") : say("page.connecting");
  else if (known.topics.status?.state === "stopping") text = say("page.stopping");
  else if (known.topics.clock?.doubt) text = both(known.topics.clock.doubt.message);
  if (node.textContent !== text) node.textContent = text;
  node.hidden = text === "";
}

function theme() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  setTheme(dark ? "light" : "dark");
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  try { localStorage.setItem(THEME, name); } catch { /* a private window forgets it */ }
}

async function leave() {
  try { await post("/logout"); } catch { /* the server has forgotten us already */ }
  location.reload();
}

function loginView() {
  view = null;
  const user = el("input", { name: "user", autocomplete: "username", required: true });
  const password = el("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  fill(main, el("section", {}, el("form", {
    class: "stack login",
    onsubmit: async (event) => {
      event.preventDefault();
      try { known.me = await post("/login", { user: user.value, password: password.value }); } catch (error) { tell(error); return; }
      start();
    },
  }, el("h2", {}, say("page.log_in")), el("label", {}, say("page.user"), user), el("label", {}, say("page.password"), password),
  el("button", { class: "main" }, say("page.log_in")))));
  user.focus();
  draw();
}

function start() {
  view = null;
  live(draw, loginView);
}

async function begin() {
  try {
    const chosen = localStorage.getItem(THEME);
    if (chosen) document.documentElement.dataset.theme = chosen;
  } catch { /* a private window forgets it */ }
  for (;;) {
    try { await loadTexts(); break; } catch { await new Promise((again) => setTimeout(again, 1500)); }
  }
  document.title = "gatewayd";
  addEventListener("hashchange", () => draw());
  start();
}

// Whoever scans with a keyboard wedge need not aim: what is typed nowhere goes into the first
// field that waits for a scan.
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.key.length !== 1) return;
  if (document.activeElement?.matches("input, select, textarea, dialog *")) return;
  document.querySelector("[data-scan]")?.focus();
});

begin();
