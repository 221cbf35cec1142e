// Where a check is, stage by stage.

import { el } from "./dom.js";
import { STAGES } from "./words.js";

const ORDER = ["queued", "fetching", "decoding", "analyzing"];
const WORDS = { ...STAGES, sending: "Sending the file" };

export function step(box, stage, share, cancel) {
  const at = ORDER.indexOf(stage);
  const steps = ORDER.map((name, index) => el("li", {
    class: index < at ? "past" : index === at ? "now" : null, "aria-current": index === at ? "step" : null,
  }, STAGES[name]));
  const bar = el("progress", { max: 1, "aria-label": WORDS[stage] ?? stage });
  if (share > 0) bar.value = share;
  box.replaceChildren(
    el("div", { class: "headline" }, el("strong", {}, WORDS[stage] ?? stage), cancel ? el("button", { onclick: cancel }, "Withdraw") : null),
    bar, el("ol", { class: "steps small" }, steps));
  box.hidden = false;
}

export function clear(box) {
  box.hidden = true;
  box.replaceChildren();
}
