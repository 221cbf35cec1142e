// The start page: ask for a check, follow it, read the verdict, find earlier ones again.

import { ApiError, ask, events, getJson, postJson } from "./api.js";
import { el } from "./dom.js";
import { clear, step } from "./progress.js";
import { recent } from "./recent.js";
import { chip, show } from "./verdict.js";
import { LABELS, STAGES } from "./words.js";

const $ = (id) => document.getElementById(id);
const form = $("ask");
const FINAL = ["complete", "failed", "cancelled"];
let following = new AbortController();

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const url = $("url").value.trim();
  if (!url) return problem({ code: "empty", message: "Type or paste an address, or choose a file." });
  return start(() => postJson("/api/v1/checks", { url, ...options() }));
});
$("file").addEventListener("change", () => upload($("file").files[0]));

for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", name === "dragover");
    if (name === "drop") dropped(event.dataTransfer);
  });
}
document.addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) upload(event.clipboardData.files[0]);
});
window.addEventListener("hashchange", fromAddress);

function dropped(data) {
  if (data.files.length) return upload(data.files[0]);
  const url = data.getData("text/uri-list").split("\n").find((line) => line && !line.startsWith("#"));
  if (url) {
    $("url").value = url;
    form.requestSubmit();
  }
  return undefined;
}

function options() {
  const data = new FormData(form);
  const boxes = [...form.querySelectorAll('[name="detectors"]')];
  const chosen = { sequence_length: Number(data.get("sequence_length")), force: data.has("force") };
  if (boxes.some((box) => !box.checked)) chosen.detectors = data.getAll("detectors");
  return chosen;
}

function upload(file) {
  if (!file) return;
  const body = new FormData();
  for (const [name, value] of Object.entries(options())) body.append(name, Array.isArray(value) ? JSON.stringify(value) : value);
  body.append("file", file);
  $("file").value = "";
  start(() => ask("/api/v1/checks", { method: "POST", body }), "sending");
}

async function start(request, first = "queued") {
  const signal = begin(first);
  try {
    const response = await request();
    const body = await response.json();
    if (signal.aborted) return;
    if (response.status === 200) finish(body);
    else if (location.hash === `#${body.id}`) follow(body.id, signal);
    else location.hash = body.id; // and from there, as after a reload
  } catch (error) {
    problem(error);
  }
}

function begin(first) {
  following.abort();
  following = new AbortController();
  $("problem").replaceChildren();
  $("result").replaceChildren();
  step($("progress"), first, 0);
  return following.signal;
}

/** #ID is a check, #verdict-ID one version of a verdict: what people pass on. */
function fromAddress() {
  const [, verdict, id] = /^#(verdict-)?([0-9a-f]{32})$/.exec(location.hash) ?? [];
  if (verdict) reread(id, begin("queued"));
  else if (id) follow(id, begin("queued"));
}

async function reread(id, signal) {
  try {
    finish(await getJson(`/api/v1/verdicts/${id}`, { signal }));
  } catch (error) {
    if (error.name !== "AbortError") problem(error);
  }
}

/** Reads the check once, then its events; a stream that ends early is opened again. */
async function follow(id, signal) {
  refresh();
  try {
    for (;;) {
      const check = await getJson(`/api/v1/checks/${id}`, { signal });
      if (FINAL.includes(check.state)) return ended(check);
      if (check.previous) $("result").replaceChildren(show(check.previous, { again: true }));
      for await (const news of events(`/api/v1/checks/${id}/events`, signal)) {
        step($("progress"), news.stage, news.progress, () => withdraw(id));
        $("said").textContent = STAGES[news.stage];
      }
    }
  } catch (error) {
    if (error.name !== "AbortError") problem(error);
  }
  return undefined;
}

async function withdraw(id) {
  following.abort();
  clear($("progress"));
  await ask(`/api/v1/checks/${id}`, { method: "DELETE" }).catch(problem);
  history.replaceState(null, "", " ");
  refresh();
}

function ended(check) {
  if (check.state === "complete") return finish(check.verdict);
  problem(check.error ?? { code: check.state, message: "This check was withdrawn." });
  return refresh();
}

function finish(verdict) {
  clear($("progress"));
  $("result").replaceChildren(show(verdict));
  $("said").textContent = LABELS[verdict.label]?.[0] ?? verdict.label;
  refresh();
}

function problem(error) {
  clear($("progress"));
  const known = error instanceof ApiError || error.code;
  const message = known ? error.message : "Something went wrong on this page. Reload it and try again.";
  const quote = el("span", { class: "muted small" }, "To quote: ", el("code", {}, [error.code ?? "page", error.requestId].filter(Boolean).join(" · ")));
  $("problem").replaceChildren(el("p", { class: "problem" }, message, " ", quote));
}

const refresh = () => recent($("recent"), chip);

refresh();
fromAddress();
