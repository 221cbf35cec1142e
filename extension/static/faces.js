// The faces a verdict rests on, highest score first; heatmaps on or off; a click shows one large.

import { picture } from "./api.js";
import { el, svg } from "./dom.js";

const MOST = 24;

export function faceStrip(verdict) {
  const frames = verdict.segments.flatMap((segment) => segment.frames.map((frame) => ({ ...frame, track: segment.track })))
    .filter((frame) => frame.face).sort((a, b) => b.score - a.score).slice(0, MOST);
  if (!frames.length) return null;
  const strip = el("ul", { class: "faces" }, frames.map((frame) => face(frame, verdict.media.kind)));
  const toggle = el("input", { type: "checkbox", onchange: () => strip.classList.toggle("heat", toggle.checked) });
  const heat = frames.some((frame) => frame.heatmap) ? el("label", { class: "inline small" }, toggle, "Show where it looked") : null;
  return el("section", {}, el("div", { class: "headline" }, el("h3", {}, "Faces"), heat), strip);
}

function face(frame, kind) {
  const when = kind === "video" ? `${frame.t.toFixed(1)} s, ` : "";
  const words = `${when}score ${frame.score.toFixed(2)}`;
  const plain = image(frame.face, `Face at ${words}`, "plain");
  const heat = frame.heatmap ? image(frame.heatmap, `Where the methods looked, ${words}`, "heatmap") : null;
  const button = el("button", { class: "face", onclick: () => enlarge(frame, words) }, plain, heat, el("span", { class: "small" }, words));
  return el("li", { class: heat ? "with-heat" : null }, button);
}

export function image(path, words, kind) {
  const node = el("img", { alt: words, class: kind, width: 96, height: 96 });
  picture(path).then((address) => { node.src = address; }, () => node.classList.add("gone"));
  return node;
}

function enlarge(frame, words) {
  const close = el("button", { onclick: () => dialog.close() }, "Close");
  const pictures = [frame.face, frame.heatmap].filter(Boolean).map((path) => image(path, words, "large"));
  const dialog = el("dialog", { "aria-label": words }, el("div", { class: "pair" }, pictures), whole(frame), el("div", { class: "headline" }, el("span", {}, words), close));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** The frame it was found in, with the box over it: the picture itself stays as it was. */
function whole(frame) {
  if (!frame.frame) return null;
  const [width, height] = frame.frame_size;
  const [x, y, w, h] = frame.box;
  const box = (kind) => svg("rect", { class: kind, x, y, width: w, height: h });
  const node = image(frame.frame, "The whole frame", "frame");
  node.setAttribute("width", width);
  node.setAttribute("height", height);
  return el("div", { class: "boxed" }, node,
    svg("svg", { class: "boxes", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" }, box("halo"), box(null)));
}
