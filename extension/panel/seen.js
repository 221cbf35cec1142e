// Where it was seen: address and page, when the server last saw it there, how it was got, what people decided.

import { el } from "../static/dom.js";
import { ago, LABELS } from "../static/words.js";

export function seen({ review, fetched_at: fetched, coverage }, { media }, say) {
  const rows = [
    [say("seenAddress"), media.url],
    [say("seenPage"), media.frameUrl],
    [say("seenFetched"), fetched ? ago(fetched) : null],
    [say("seenHow"), say.has(`how_${coverage.acquisition}`) ? say(`how_${coverage.acquisition}`) : coverage.acquisition],
    [say("seenReview"), review?.label ? (LABELS[review.label]?.[0] ?? review.label) : null],
  ].filter(([, value]) => value);
  return el("details", { class: "seen" }, el("summary", {}, say("seen")),
    el("dl", {}, rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])));
}
