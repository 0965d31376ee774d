// What the page knows: texts, settings, the live board, who is logged in; and how it asks.

export const known = {
  language: "zh", texts: {}, me: null, station: null,
  topics: {}, weights: {}, more: {}, at: "", live: false,
};

const API = "/api/v1";
const LANGUAGE = "gatewayd.language";

export function say(key, values = {}) {
  const text = known.texts[key];
  if (!text) return key;
  return text[known.language].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// A text that comes in both languages.
export function both(message) {
  return message ? (message[known.language] ?? message.en ?? "") : "";
}

export function word(group, value) {
  const key = `${group}.${value}`;
  return known.texts[key] ? say(key) : String(value);
}

export function kg(grams) {
  return Number.isInteger(grams) ? `${(grams / 1000).toFixed(2)}` : "–";
}

export function clockOf(stamp) {
  return stamp ? stamp.slice(0, 19).replace("T", " ") : "";
}

export function may(role) {
  const roles = ["viewer", "operator", "supervisor"];
  return known.me !== null && roles.indexOf(known.me.role) >= roles.indexOf(role);
}

export function setLanguage(language) {
  known.language = language;
  document.documentElement.lang = language;
  try { localStorage.setItem(LANGUAGE, language); } catch { /* a private window forgets it */ }
}

export async function loadTexts() {
  const told = await get("/texts");
  known.texts = told.texts;
  let chosen = null;
  try { chosen = localStorage.getItem(LANGUAGE); } catch { /* as above */ }
  setLanguage(chosen ?? told.language);
}

export class Refused extends Error {
  constructor(status, error) {
    super(error?.code ?? "failed");
    this.status = status;
    this.error = error;
  }
}

export async function get(path) {
  return ask(path, {});
}

export async function post(path, body = {}) {
  return ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function ask(path, options) {
  const response = await fetch(API + path, { ...options, signal: AbortSignal.timeout(15000) });
  let body = {};
  try { body = await response.json(); } catch { /* an answer that is not ours: the status says enough */ }
  if (!response.ok) throw new Refused(response.status, body.error);
  return body;
}
