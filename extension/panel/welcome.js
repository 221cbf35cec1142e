// Before the first check: what to do, in three lines.

import { el } from "../static/dom.js";

export const welcome = (say) => el("section", { class: "welcome" },
  el("h1", {}, say("welcome")),
  el("ol", {}, ["welcomeClick", "welcomeKeys", "welcomeRead"].map((name) => el("li", {}, say(name)))),
  el("p", { class: "small muted" }, say("welcomeSends")));
