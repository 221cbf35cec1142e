// A verdict as it is read: label and sentence in one second, grounds in ten, everything in a minute.

import { el, shape, svg } from "./dom.js";
import { faceStrip } from "./faces.js";
import { forensics } from "./forensics.js";
import { showCards } from "./cards.js";
import { methods } from "./methods.js";
import { timeline } from "./timeline.js";
import { ago, LABELS, match, origin, percent, reasons, scaleWords, sentence } from "./words.js";

export function chip(label, { small = false } = {}) {
  const [words, tone] = LABELS[label] ?? [label, "not-assessable"];
  if (small) return el("span", { class: `chip small ${tone}`, role: "img", "aria-label": words, title: words }, shape(label));
  return el("span", { class: `chip ${tone}` }, shape(label, 22), words);
}

/** `again`: an older verdict that is shown while a check is under way. */
export function show(verdict, { again = false } = {}) {
  const faded = again || verdict.stale;
  const said = el("p", { class: "sentence" }, sentence(verdict));
  return el("article", { class: `verdict${faded ? " faded" : ""}`, "aria-label": "Verdict" },
    el("div", { class: "headline" }, chip(verdict.label), freshness(verdict, again)),
    said,
    reasonList(verdict),
    confidence(verdict),
    faceStrip(verdict),
    timeline(verdict),
    methods(verdict),
    forensics(verdict),
    whence(verdict),
    howSure(verdict),
    facts(verdict));
}

function freshness(verdict, again) {
  const when = `checked ${ago(verdict.created_at)}`;
  if (again) return el("span", { class: "muted small" }, `${when}; checking again`);
  if (verdict.stale) return el("span", { class: "muted small" }, `${when}; no longer up to date`);
  return verdict.cache ? el("span", { class: "muted small" }, `known already, ${when}`) : null;
}

function reasonList(verdict) {
  const lines = reasons(verdict);
  return lines.length ? el("ul", { class: "reasons" }, lines.map((line) => el("li", {}, line))) : null;
}

function confidence(verdict) {
  if (verdict.probability === null) return null;
  const [low, high] = verdict.interval ?? [verdict.probability, verdict.probability];
  const narrow = percent(low) === percent(high);
  const spoken = narrow ? `About ${percent(verdict.probability)} in 100`
    : `${percent(verdict.probability)} in 100, between ${percent(low)} and ${percent(high)}`;
  const x = (share) => 2 + share * 96;
  return el("figure", { class: "confidence" },
    el("figcaption", {}, "Share that was manipulated, among material that scores like this"),
    svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", role: "img", "aria-label": spoken },
      svg("rect", { class: "rail", x: 2, y: 4, width: 96, height: 2 }),
      svg("rect", { class: "band", x: x(low), y: 2, width: Math.max(0.5, x(high) - x(low)), height: 6 }),
      ticks(verdict.scale).map((at) => svg("line", { class: "threshold", x1: x(at), x2: x(at), y1: 0, y2: 10 })),
      svg("rect", { class: "mark", x: x(verdict.probability) - 0.4, y: 0.5, width: 0.8, height: 9 })),
    el("div", { class: "scale small muted", "aria-hidden": "true" }, el("span", {}, "0"), el("span", {}, "50"), el("span", {}, "100")),
    el("p", { class: "small" }, [`${spoken}.`, scaleWords(verdict)].filter(Boolean).join(" ")));
}

const ticks = (scale) => [scale?.no_evidence, scale?.likely].filter((at) => at !== null && at !== undefined);

function whence(verdict) {
  const lines = [...origin(verdict), match(verdict)].filter(Boolean);
  return el("section", {}, el("h3", {}, "Origin"), lines.map((line) => el("p", {}, line)));
}

function howSure(verdict) {
  const cards = el("div", {});
  const load = (event) => { if (event.target.open && !cards.childElementCount) showCards(cards, verdict); };
  return el("details", { ontoggle: load }, el("summary", {}, "How sure is this?"),
    el("p", {}, "The number is measured, not felt: it says how much of the material with such scores, among material "
      + "whose origin was known, was manipulated. It holds where the share of manipulated material is as stated, and for "
      + "material like that of the calibration. A check can be wrong in both directions; it never shows that something is genuine."),
    el("p", {}, el("a", { href: "/api/docs#schema-VerdictBody" }, "What each field means"), ` · calibration ${verdict.calibration}, pipeline ${verdict.pipeline}`), cards);
}

function facts(verdict) {
  const { media } = verdict;
  const size = `${media.kind}, ${media.width} × ${media.height}`;
  return el("p", { class: "small muted facts" }, `${size} · sha256 `, el("code", {}, media.sha256));
}
