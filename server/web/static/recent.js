// The person's own checks, newest first.

import { getJson } from "./api.js";
import { el } from "./dom.js";
import { ago, STAGES } from "./words.js";

export async function recent(list, chip) {
  const { checks } = await getJson("/api/v1/checks?limit=8").catch(() => ({ checks: null }));
  if (checks === null) return;
  const empty = el("li", { class: "muted" }, "What you have checked appears here, for as long as it is kept.");
  list.replaceChildren(...(checks.length ? checks.map((check) => row(check, chip)) : [empty]));
}

function row(check, chip) {
  const outcome = check.label ? chip(check.label, { small: true }) : el("span", { class: "muted small" }, STAGES[check.state]);
  const name = check.url ?? (check.source === "frames" ? "Frames from a page" : "Uploaded file");
  return el("li", {},
    el("span", { class: "outcome" }, outcome),
    el("a", { href: `#${check.id}`, class: "name" }, name),
    el("time", { class: "muted small", datetime: check.created_at }, ago(check.created_at)));
}
