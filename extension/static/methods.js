// One row a method: what it says, how much it weighs, what it adds, and whatever has to be known of how it came to that.

import { el, svg } from "./dom.js";
import { BANDS, reasonWords } from "./words.js";

const HEAD = ["Method", "Says", "Score", "Weight", "Adds", "Time", "Remarks"];

export function methods(verdict) {
  const widest = Math.max(...verdict.detectors.map((d) => Math.abs(d.contribution ?? 0))) || 1;
  const head = HEAD.map((word) => el("th", { scope: "col" }, word));
  return el("section", {}, el("h3", {}, "Methods"),
    el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Methods" },
      el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, verdict.detectors.map((d) => row(d, widest))))),
    el("p", { class: "small muted" }, "What a method adds is counted in log-odds: above zero speaks for manipulation, below zero against it."));
}

function row(d, widest) {
  const silent = d.score === null;
  const remarks = [d.reason && reasonWords(d.reason), d.evidence].filter(Boolean).join("; ");
  return el("tr", { class: silent ? "muted" : null },
    el("th", { scope: "row" }, d.name),
    el("td", {}, BANDS[d.band] ?? d.band),
    el("td", {}, silent ? "-" : bar(0, d.score * 100, d.score.toFixed(2))),
    el("td", {}, d.weight.toFixed(2)),
    el("td", {}, d.weight > 0 && d.contribution !== undefined ? adds(d.contribution, widest) : "-"),
    el("td", {}, `${d.ms} ms`),
    el("td", { class: "remarks" }, remarks));
}

function adds(contribution, widest) {
  const reach = (50 * contribution) / widest;
  return bar(50 + Math.min(0, reach), Math.abs(reach), `${contribution < 0 ? "" : "+"}${contribution.toFixed(2)}`, 50);
}

const bar = (x, width, words, zero) => el("div", { class: "score" },
  svg("svg", { viewBox: "0 0 100 8", class: "bar", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "rail", width: 100, height: 8 }),
    svg("rect", { class: "mark", x, width, height: 8 }),
    zero ? svg("rect", { class: "zero", x: zero - 0.5, width: 1, height: 8 }) : null),
  el("span", {}, words));
