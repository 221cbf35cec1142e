// One row a person: the score of each face over time, with the stretches that score high shaded and told as text.

import { el, svg } from "./dom.js";
import { duration } from "./words.js";

const WIDTH = 600;
const HEIGHT = 64;
const LONG_GAP = 2.5; // times the usual distance of two faces: nothing is drawn across what nobody saw

export function timeline(verdict) {
  if (verdict.media.kind !== "video" || !verdict.segments.length) return null;
  const whole = Math.max(verdict.media.duration, ...verdict.segments.map((segment) => segment.end), 0.001);
  const rows = [...verdict.segments].sort((a, b) => b.score - a.score).map((segment) => row(segment, whole, verdict.scale?.high));
  return el("section", {}, el("h3", {}, "Over time"), rows);
}

/** The points in pieces, parted where nobody was seen for long. */
function unbroken(points) {
  const steps = points.slice(1).map((point, i) => point.t - points[i].t).sort((a, b) => a - b);
  const usual = steps.length ? (steps[Math.floor((steps.length - 1) / 2)] + steps[Math.ceil((steps.length - 1) / 2)]) / 2 : 0;
  return pieces(points, (before, after) => after.t - before.t > LONG_GAP * usual);
}

function pieces(points, parted) {
  const found = [];
  points.forEach((point, i) => (i && !parted(points[i - 1], point) ? found.at(-1).push(point) : found.push([point])));
  return found;
}

/** Runs of faces that score `high` or more: what is high, the calibration has decided. */
export function stretches(points, high) {
  if (high === undefined) return [];
  const runs = unbroken(points).flatMap((piece) => pieces(piece, (a, b) => (a.score >= high) !== (b.score >= high)));
  return runs.filter(([first]) => first.score >= high)
    .map((run) => ({ start: run[0].t, end: run.at(-1).t, peak: Math.max(...run.map((point) => point.score)) }));
}

function row(segment, whole, high) {
  const x = (t) => (t / whole) * WIDTH;
  const y = (score) => HEIGHT - 4 - score * (HEIGHT - 8);
  const points = [...(segment.timeline ?? segment.frames)].sort((a, b) => a.t - b.t);
  const found = stretches(points, high);
  const words = `Person ${segment.track + 1}: score ${segment.score.toFixed(2)}, seen from ${duration(segment.start)} to ${duration(segment.end)}`;
  const shade = (run) => svg("rect", { class: "shade", x: x(run.start), y: 0, width: Math.max(2, x(run.end) - x(run.start)), height: HEIGHT });
  const level = high === undefined ? null : svg("line", { class: "level", x1: 0, x2: WIDTH, y1: y(high), y2: y(high) });
  const line = (piece) => svg("polyline", { class: "line", points: piece.map((p) => `${x(p.t).toFixed(1)},${y(p.score).toFixed(1)}`).join(" ") });
  return el("figure", { class: "timeline" },
    el("figcaption", { class: "small" }, words),
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `Score over time. ${words}` },
      found.map(shade), level, unbroken(points).map(line), points.map((p) => dot(p, x(p.t), y(p.score)))),
    el("div", { class: "scale small muted", "aria-hidden": "true" }, el("span", {}, "0 s"), el("span", {}, duration(whole))),
    high === undefined ? null : el("p", { class: "small" }, told(found, high)),
    table(points));
}

function told(found, high) {
  if (!found.length) return `No single face scores ${high.toFixed(2)} or more (the dashed line).`;
  const runs = found.map(({ start, end, peak }) =>
    `${start === end ? `at ${duration(start)}` : `${duration(start)} to ${duration(end)}`} (highest ${peak.toFixed(2)})`);
  return `Single faces score ${high.toFixed(2)} or more (shaded): ${runs.join(", ")}.`;
}

function table(points) {
  const head = ["Seconds", "Score"].map((word) => el("th", { scope: "col" }, word));
  const rows = points.map((p) => el("tr", {}, el("td", {}, p.t.toFixed(2)), el("td", {}, p.score.toFixed(2))));
  return el("details", { class: "small" }, el("summary", {}, "Show as table"),
    el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)));
}

const dot = (p, x, y) => svg("line", { class: "dot", x1: x, x2: x, y1: y, y2: y }, svg("title", {}, `${p.t.toFixed(1)} s: ${p.score.toFixed(2)}`));
