// Where it comes from: the address, when the server saw it there, what it carries about itself, what people decided.

import { el } from "../static/dom.js";
import { ago, LABELS } from "../static/words.js";

export function origin({ provenance, match, review, fetched_at: fetched, coverage }, { media }, say) {
  const rows = [
    [say("originAddress"), media.url],
    [say("originPage"), media.frameUrl],
    [say("originFetched"), fetched ? ago(fetched) : null],
    [say("originHow"), say.has(`how_${coverage.acquisition}`) ? say(`how_${coverage.acquisition}`) : coverage.acquisition],
    [say("originCredentials"), provenance && provenance.c2pa !== "unchecked" ? provenance.c2pa : null],
    [say("originGenerator"), provenance?.generator],
    [say("originMatch"), match?.label ? (LABELS[match.label]?.[0] ?? match.label) : null],
    [say("originReview"), review?.label ? (LABELS[review.label]?.[0] ?? review.label) : null],
  ].filter(([, value]) => value);
  return el("details", { class: "origin" }, el("summary", {}, say("origin")),
    el("dl", {}, rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])));
}
