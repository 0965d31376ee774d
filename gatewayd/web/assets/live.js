// The live connection. What is shown without it is old, and the page says so.

import { get, known } from "./state.js";

const SILENT_MS = 4000; // the gateway says something every second
const AGAIN_MS = 1500;
const FULL_MS = 5000;

let source = null;
let heard = 0;
let version = null;

let watching = () => {};

// A tab that nobody sees lets go of its connection: a browser has six for one gateway.
document.addEventListener("visibilitychange", () => watching());

export function live(changed, left) {
  let opening = false;
  const open = async () => {
    if (document.hidden || opening || source) return;
    opening = true;
    try { await connect(); } finally { opening = false; }
  };
  const connect = async () => {
    try {
      known.me = await get("/me");
      known.station = await get("/station");
    } catch (error) {
      if (error.status === 401) { known.me = null; stop(); left(); return; }
      setTimeout(open, AGAIN_MS);
      return;
    }
    if (known.me.full) { changed(); setTimeout(open, FULL_MS); return; }
    heard = Date.now();
    source = new EventSource("/api/v1/events");
    source.addEventListener("all", (event) => take(JSON.parse(event.data), true, changed));
    source.addEventListener("some", (event) => take(JSON.parse(event.data), false, changed));
    source.onerror = () => lost();
  };
  watching = () => {
    if (document.hidden) stop();
    else open();
  };
  const lost = () => {
    if (!source) return;
    stop();
    changed();
    setTimeout(open, AGAIN_MS);
  };
  setInterval(() => { if (source && Date.now() - heard > SILENT_MS) lost(); }, 500);
  open();
}

function stop() {
  source?.close();
  source = null;
  known.live = false;
}

function take(told, everything, changed) {
  heard = Date.now();
  known.live = true;
  known.at = told.at;
  if (everything) { known.topics = {}; known.weights = {}; }
  for (const [topic, value] of Object.entries(told.topics ?? {})) {
    if (value === null) delete known.topics[topic];
    else known.topics[topic] = value;
  }
  Object.assign(known.weights, told.weights ?? {});
  if (told.more) known.more = told.more;
  const info = told.topics?.info;
  if (info) {
    if (version !== null && version !== info.version) location.reload();
    version = info.version;
    if (!everything) get("/station").then((station) => { known.station = station; changed(); }, () => {});
  }
  changed();
}
