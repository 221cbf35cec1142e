// One row a person: the score over time, the stretch that weighs most shaded and told as text.

import { el, svg } from "./dom.js";
import { duration } from "./words.js";

const WIDTH = 600;
const HEIGHT = 64;
const FLAGGED = ["manipulation_likely", "confirmed_manipulated"];

export function timeline(verdict) {
  if (verdict.media.kind !== "video" || !verdict.segments.length) return null;
  const whole = Math.max(verdict.media.duration, ...verdict.segments.map((segment) => segment.end), 0.001);
  const most = FLAGGED.includes(verdict.label) ? strongest(verdict.segments) : null;
  const rows = [...byTrack(verdict.segments)].map(([track, segments]) => row(track, segments, whole, most));
  return el("section", {}, el("h3", {}, "Over time"), rows);
}

// No threshold of our own here: what is high is decided by calibration, not by a page.
const strongest = (segments) => segments.reduce((most, segment) => (segment.score > most.score ? segment : most));

function byTrack(segments) {
  const tracks = new Map();
  for (const segment of segments) tracks.set(segment.track, [...(tracks.get(segment.track) ?? []), segment]);
  return tracks;
}

function row(track, segments, whole, most) {
  const x = (t) => (t / whole) * WIDTH;
  const y = (score) => HEIGHT - 4 - score * (HEIGHT - 8);
  const top = strongest(segments);
  const points = segments.flatMap((segment) => segment.timeline ?? segment.frames).sort((a, b) => a.t - b.t);
  const words = `Person ${track + 1}: highest from ${duration(top.start)} to ${duration(top.end)}, score ${top.score.toFixed(2)}`;
  const shade = segments.includes(most)
    ? svg("rect", { class: "shade", x: x(most.start), y: 0, width: Math.max(2, x(most.end) - x(most.start)), height: HEIGHT })
    : null;
  const middle = svg("line", { class: "middle", x1: 0, x2: WIDTH, y1: y(0.5), y2: y(0.5) });
  const line = svg("polyline", { class: "line", points: points.map((p) => `${x(p.t).toFixed(1)},${y(p.score).toFixed(1)}`).join(" ") });
  return el("figure", { class: "timeline" },
    el("figcaption", { class: "small" }, words),
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `Score over time. ${words}` },
      shade, middle, line, points.map((p) => dot(p, x(p.t), y(p.score)))),
    el("div", { class: "scale small muted", "aria-hidden": "true" }, el("span", {}, "0 s"), el("span", {}, duration(whole))));
}

const dot = (p, x, y) => svg("line", { class: "dot", x1: x, x2: x, y1: y, y2: y }, svg("title", {}, `${p.t.toFixed(1)} s: ${p.score.toFixed(2)}`));
