// What went wrong, whether anything was lost, what to do next, a code to quote.

import { el } from "../static/dom.js";

// Code -> what may help. The words are `problem_<code>`; for all other codes the server's own sentence stands.
const HELP = {
  not_connected: ["options"],
  unauthorized: ["options"],
  token_expired: ["options"],
  forbidden: ["options"],
  bad_host: ["options"],
  wrong_server: ["options", "retry"],
  offline: ["retry", "options"],
  slow: ["retry"],
  rate_limited: ["retry"],
  queue_full: ["retry"],
  needs_access: ["grant"],
  closed_page: [],
  no_media_here: ["pick"],
  not_an_address: [],
  cancelled: ["retry"],
  only_here: ["send"],
  not_carried: ["pick"],
  needs_browser: ["send"],
  http_failed: ["send", "retry"],
  address_refused: ["send"],
  dns_failed: ["send", "retry"],
  fetch_failed: ["send", "retry"],
  fetch_timeout: ["send", "retry"],
  no_media: ["send", "pick"],
};

/** `ways`: what each kind of help does; a kind without a way has no button. */
export function problem({ code, message, requestId, retryAfter }, say, ways) {
  const own = `problem_${code}`;
  const words = say.has(own) ? say(own, message ?? "") : message || say("problem_other");
  const wait = retryAfter ? ` ${say("waitSeconds", String(retryAfter))}` : "";
  const kinds = (HELP[code] ?? ["retry"]).filter((kind) => ways[kind]);
  const buttons = kinds.map((kind) => el("button", { onclick: ways[kind] }, say(`help_${kind}`)));
  const quote = [code, requestId].filter(Boolean).join(" · ");
  return el("div", { class: "problem", role: "alert" },
    el("p", {}, words + wait),
    el("p", { class: "muted small" }, say("quote"), " ", el("code", {}, quote)),
    kinds.includes("send") ? el("p", { class: "small" }, say("sends")) : null,
    buttons.length ? el("div", { class: "actions" }, buttons) : null);
}
