// Options and, after the installation, the first page: connect, choose, clear.

import { browser } from "../shared/browser.js";
import { background, fromPages, reportOf } from "../shared/background.js";
import { fillIn, LANGUAGES, speaker } from "../shared/say.js";
import { problem } from "../panel/problems.js";
import { el } from "../static/dom.js";
import { chip } from "../static/verdict.js";
import { ago } from "../static/words.js";

const ALL = { origins: ["<all_urls>"] };
const $ = (id) => document.getElementById(id);
let say;

/** Acts on a form; what went wrong is said at the top. */
function on(node, event, act) {
  node.addEventListener(event, async (happened) => {
    happened.preventDefault();
    $("problem").replaceChildren();
    try {
      await act();
    } catch (error) {
      $("problem").replaceChildren(problem(error, say, { grant: allowServer }));
      $("problem").scrollIntoView({ block: "nearest" });
    }
    await refresh();
  });
}

/** Browsers may keep extensions off local networks until the person allows the one server. */
async function allowServer() {
  const { hostname, protocol } = new URL($("server").value);
  await browser.permissions.request({ origins: [`${protocol}//${hostname}/*`] });
}

async function refresh() {
  const { connected, server, history, language } = await background(fromPages.about);
  if (!$("server").value) $("server").value = server;
  $("connection").textContent = connected ? say("connected", server) : say("notConnected");
  $("disconnect").hidden = !connected;
  $("keep").checked = history;
  $("language").value = language;
  const access = await browser.permissions.contains(ALL);
  $("accessNow").textContent = say(access ? "accessAll" : "accessSome");
  $("grant").hidden = access;
  $("revoke").hidden = !access;
  const past = await background(fromPages.past);
  $("past").replaceChildren(...(past.length ? past.map(row) : [el("li", { class: "muted" }, say("historyEmpty"))]));
  $("forget").hidden = !past.length;
}

const row = ({ id, label, server, url, at }) => el("li", {},
  chip(label, { small: true }),
  el("a", { href: reportOf(server, id), target: "_blank", rel: "noreferrer" }, url),
  el("time", { class: "muted small", datetime: at }, ago(at)));

async function speak() {
  const { language } = await background(fromPages.about);
  say = await speaker(language);
  fillIn(say);
  $("language").replaceChildren(
    el("option", { value: "auto" }, say("languageAuto")),
    ...Object.entries(LANGUAGES).map(([code, name]) => el("option", { value: code }, name)));
}

await speak();
$("first").hidden = location.hash !== "#first";
$("title").hidden = !$("first").hidden;
on($("pair"), "submit", async () => {
  await background(fromPages.pair, { server: $("server").value, code: $("code").value });
  $("code").value = "";
});
on($("paste"), "submit", async () => {
  await background(fromPages.connect, { server: $("server").value, token: $("token").value });
  $("token").value = "";
});
on($("disconnect"), "click", () => background(fromPages.disconnect));
on($("grant"), "click", () => browser.permissions.request(ALL));
on($("revoke"), "click", () => browser.permissions.remove(ALL));
on($("keep"), "change", () => background(fromPages.prefer, { history: $("keep").checked }));
on($("forget"), "click", () => background(fromPages.forget));
on($("language"), "change", async () => {
  await background(fromPages.prefer, { language: $("language").value });
  await speak();
});
await refresh();
