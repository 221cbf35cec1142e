// What the methods learned from, how good they were measured to be, where they are blind.

import { getJson } from "./api.js";
import { el } from "./dom.js";
import { rates } from "./words.js";

export async function showCards(box, verdict) {
  const used = new Set(verdict.detectors.map((detector) => detector.name));
  const { detectors, measured } = await getJson("/api/v1/models").catch(() => ({ detectors: [] }));
  if (measured) box.append(el("p", {}, rates(measured)));
  box.append(...detectors.filter((detector) => used.has(detector.name)).map(card));
}

function card(detector) {
  const measured = Object.entries(detector.metrics ?? {})
    .map(([name, value]) => `${name.replace(/^auc_/, "").replaceAll("_", " ")} ${typeof value === "number" ? value.toFixed(2) : value}`);
  return el("section", { class: "card" },
    el("h4", {}, `${detector.title ?? detector.name} ${detector.version ?? ""}`),
    measured.length ? el("p", { class: "small" }, "Measured (AUC: 0.5 is guessing, 1 is never wrong): ", measured.join(" · ")) : null,
    detector.card ? el("details", {}, el("summary", {}, "Its card"), el("pre", { tabindex: "0" }, detector.card)) : null);
}
