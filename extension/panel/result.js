// A verdict in the panel: as the console shows it, with what only a panel can do.

import { fromPages, reportOf } from "../shared/background.js";
import { el } from "../static/dom.js";
import { stretches } from "../static/timeline.js";
import { show } from "../static/verdict.js";
import { duration } from "../static/words.js";
import { seen } from "./seen.js";

const MOMENTS = 5;

export function result(verdict, { job, say, ask, again }) {
  const article = show(verdict, { again });
  for (const link of article.querySelectorAll('a[href^="/"]')) {
    link.href = job.server + link.getAttribute("href");
    link.target = "_blank";
  }
  article.append(...[moments(verdict, job, say, ask), seen(verdict, job, say), again ? null : actions(reportOf(job.server, verdict.id), say, ask)].filter(Boolean));
  return article;
}

/** Moments of a video, to be seen in the page's own player. */
function moments(verdict, { media, tabId }, say, ask) {
  if (verdict.media.kind !== "video" || media.kind !== "video" || tabId === undefined) return null;
  const times = highest(verdict);
  if (!times.length) return null;
  const heard = el("span", { class: "small muted", role: "status" });
  const go = async (seconds) => { heard.textContent = (await ask(fromPages.seek, { seconds })) ? "" : say("noPlayer"); };
  const buttons = times.map((seconds) => el("button", { onclick: () => go(seconds) }, say("showMoment", duration(seconds))));
  return el("section", {}, el("h3", {}, say("moments")), el("div", { class: "actions" }, buttons), heard);
}

/** Where stretches that score high begin; without one, the highest-scoring moment. */
function highest({ segments, scale }) {
  const runs = segments.flatMap(({ timeline, frames }) => stretches([...(timeline ?? frames)].sort((a, b) => a.t - b.t), scale?.high));
  if (runs.length) return runs.sort((a, b) => b.peak - a.peak).slice(0, MOMENTS).map((run) => run.start).sort((a, b) => a - b);
  return segments.flatMap(({ frames }) => frames).sort((a, b) => b.score - a.score).slice(0, 1).map((frame) => frame.t);
}

function actions(report, say, ask) {
  const heard = el("span", { class: "small muted", role: "status" });
  const copy = async () => {
    await navigator.clipboard.writeText(report);
    heard.textContent = say("copied");
  };
  return el("div", { class: "actions" },
    el("button", { onclick: copy }, say("copyLink")),
    el("a", { class: "button", href: report, target: "_blank", rel: "noreferrer" }, say("openReport")),
    el("button", { onclick: () => ask(fromPages.again, { force: true }) }, say("checkAgain")),
    heard);
}
