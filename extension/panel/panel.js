// The side panel: shows the job of its window, and comes by once a second while one is under way.

import { browser } from "../shared/browser.js";
import { background, fromPages } from "../shared/background.js";
import { fillIn, speaker } from "../shared/say.js";
import { el } from "../static/dom.js";
import { clear, step } from "../static/progress.js";
import { LABELS, STAGES } from "../static/words.js";
import { problem } from "./problems.js";
import { result } from "./result.js";
import { welcome } from "./welcome.js";

const POLL_MS = 1000;
const $ = (id) => document.getElementById(id);
const { id: windowId } = await browser.windows.getCurrent();
const { language } = await background(fromPages.about);
const say = await speaker(language);
const name = `job:${windowId}`;
let shown = {}; // the job as it was last drawn
let subject = null; // the media of that job
let timer = 0;

const ask = (type, data) => background(type, { windowId, ...data }).catch(complain);
const openOptions = () => browser.runtime.openOptionsPage();
/** Only within a click: the browser asks the person. */
const grant = () => browser.permissions.request({ origins: ["<all_urls>"] }).then((yes) => yes && ask(fromPages.pick));
/** Only the media's own site; what the page itself holds needs no more than the click. */
const send = () => {
  const { hostname, protocol } = new URL(subject.url ?? subject.frameUrl);
  return browser.permissions.request({ origins: [`${protocol}//${hostname}/*`] }).then((yes) => yes && ask(fromPages.send));
};
const ways = {
  send,
  options: openOptions,
  retry: () => ask(fromPages.again),
  pick: () => ask(fromPages.pick),
  grant,
};

function complain(error) {
  $("problem").replaceChildren(problem(error, say, ways));
}

function draw(job) {
  const state = job?.state ?? "idle";
  subject = job?.media ?? null;
  $("subject").textContent = subject?.url ?? subject?.frameUrl ?? "";
  $("problem").replaceChildren(...[failure(job)].filter(Boolean));
  if (state === "checking" && job.check) step($("progress"), job.stage, job.progress, () => ask(fromPages.withdraw));
  else if (state === "checking") step($("progress"), "queued", 0);
  else clear($("progress"));
  const news = `${job?.id} ${state} ${job?.count} ${job?.previous?.id}`;
  if (news !== shown.news) $("result").replaceChildren(...[content(state, job)].filter(Boolean));
  const said = spoken(state, job);
  if (said !== shown.said) $("said").textContent = said;
  shown = { news, said };
  follow(state === "checking");
}

function failure(job) {
  const error = job?.state === "failed" ? job.error : job?.trouble;
  return error ? problem(error, say, job.state === "failed" ? ways : {}) : null;
}

function content(state, job) {
  if (state === "idle") return welcome(say);
  if (state === "finding") return el("p", { class: "done" }, say("finding"));
  if (state === "picking") return job.count ? el("p", { class: "done" }, say("picking", String(job.count))) : null;
  const verdict = job.verdict ?? job.previous;
  return verdict ? result(verdict, { job, say, ask, again: state === "checking" }) : null;
}

function spoken(state, job) {
  if (state === "checking") return STAGES[job.stage] ?? "";
  if (state === "done") return LABELS[job.verdict.label]?.[0] ?? "";
  return "";
}

function follow(active) {
  if (active && !timer) timer = setInterval(() => ask(fromPages.poll), POLL_MS);
  if (!active) {
    clearInterval(timer);
    timer = 0;
  }
}

browser.storage.session.onChanged.addListener((changes) => {
  if (changes[name]) draw(changes[name].newValue);
});
fillIn(say);
$("pick").addEventListener("click", ways.pick);
$("options").addEventListener("click", openOptions);
draw((await browser.storage.session.get(name))[name]);
