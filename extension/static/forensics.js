// Maps of a still for who reads such maps, behind a disclosure: they decide nothing, and are fetched when opened.

import { el } from "./dom.js";
import { image } from "./faces.js";

const NAMES = { error_level: "Error level", noise: "Noise" };

export function forensics(verdict) {
  if (!verdict.forensics?.length) return null;
  const maps = el("div", { class: "maps" });
  const load = (event) => { if (event.target.open && !maps.childElementCount) maps.append(...verdict.forensics.map(map)); };
  return el("details", { ontoggle: load }, el("summary", {}, "For experts: error level and noise"), maps);
}

function map({ name, picture, reading }) {
  const words = NAMES[name] ?? name;
  return el("figure", {}, el("h4", {}, words), image(picture, `${words} map of the picture`, "map"), el("figcaption", {}, reading));
}
