// One row a person, score over time, stretches that stand out shaded and listed as text.

import { el, svg } from "./dom.js";
import { duration } from "./words.js";

const HIGH = 0.5; // where the line crosses its middle; what it means is for the calibrated probability to say
const WIDTH = 600;
const HEIGHT = 64;

export function timeline(verdict) {
  if (verdict.media.kind !== "video" || !verdict.segments.length) return null;
  const whole = Math.max(verdict.media.duration, ...verdict.segments.map((segment) => segment.end), 0.001);
  const tracks = Map.groupBy ? Map.groupBy(verdict.segments, (s) => s.track) : group(verdict.segments);
  return el("section", {}, el("h3", {}, "Over time"), [...tracks].map(([track, segments]) => row(track, segments, whole)));
}

function group(segments) {
  const tracks = new Map();
  for (const segment of segments) tracks.set(segment.track, [...(tracks.get(segment.track) ?? []), segment]);
  return tracks;
}

function row(track, segments, whole) {
  const x = (t) => (t / whole) * WIDTH;
  const y = (score) => HEIGHT - 4 - score * (HEIGHT - 8);
  const shaded = segments.filter((segment) => segment.score >= HIGH);
  const points = segments.flatMap((segment) => segment.frames).sort((a, b) => a.t - b.t);
  const stretches = shaded.map((s) => `${duration(s.start)} to ${duration(s.end)}, score ${s.score.toFixed(2)}`);
  const words = stretches.length ? `stands out: ${stretches.join("; ")}` : "nothing stands out";
  return el("figure", { class: "timeline" },
    el("figcaption", { class: "small" }, `Person ${track + 1}: ${words}`),
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `Score over time, person ${track + 1}: ${words}` },
      shaded.map((s) => svg("rect", { class: "shade", x: x(s.start), y: 0, width: Math.max(2, x(s.end) - x(s.start)), height: HEIGHT })),
      svg("line", { class: "middle", x1: 0, x2: WIDTH, y1: y(HIGH), y2: y(HIGH) }),
      svg("polyline", { class: "line", points: points.map((p) => `${x(p.t).toFixed(1)},${y(p.score).toFixed(1)}`).join(" ") }),
      points.map((p) => svg("line", { class: "dot", x1: x(p.t), x2: x(p.t), y1: y(p.score), y2: y(p.score) }, svg("title", {}, `${p.t.toFixed(1)} s: ${p.score.toFixed(2)}`)))),
    el("div", { class: "scale small muted", "aria-hidden": "true" }, el("span", {}, "0 s"), el("span", {}, duration(whole))));
}
