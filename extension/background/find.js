// From a click to the media that is meant. Without site access no script was there when the menu opened: then the
// browser's own word counts, and where it has none, the person chooses.

import { browser } from "../shared/browser.js";
import { check } from "./checks.js";
import { change, put } from "./jobs.js";

const FINDER = ["content/finder.js"];
const PICKER = ["shared/messages.js", "content/finder.js", "content/picker.js"];
const MEDIA_FILE = /\.(avif|gif|jpe?g|m4v|mkv|mov|mp4|ogv|png|webm|webp)$/i;

const web = (url) => (/^https?:/.test(url ?? "") ? url : null);

/** Runs in the page, beside the finder. */
const ask = (target, url) => globalThis.unmask.clicked(target, url);
const choose = () => globalThis.unmask.pick();
const show = (seconds) => globalThis.unmask?.seek(seconds) ?? false;

async function run(target, files, func, args = []) {
  await browser.scripting.executeScript({ target, files });
  const [{ result }] = await browser.scripting.executeScript({ target, func, args });
  return result;
}

/** `info` is what the browser tells of a click on the menu entry. */
export async function checkClicked(info, tab) {
  const where = { windowId: tab.windowId, tabId: tab.id, frameId: info.frameId ?? 0, incognito: tab.incognito };
  const target = { tabId: tab.id, frameIds: [where.frameId] };
  const frameUrl = info.frameUrl ?? info.pageUrl;
  const named = web(info.srcUrl);
  const { id } = await put(where.windowId, { state: "finding", ...where });
  // Before any waiting: the browser forgets its element soon.
  const seen = await run(target, FINDER, ask, [info.targetElementId ?? null, named]).catch(() => undefined);
  if (!(await change(where.windowId, id, {}))) return;
  if (named) await check({ kind: info.mediaType ?? "image", url: named, frameUrl }, where);
  else if (seen) await check({ ...seen, frameUrl: web(seen.frameUrl) ?? web(info.pageUrl) }, where);
  else if (MEDIA_FILE.test(path(info.linkUrl))) await check({ kind: "file", url: info.linkUrl, frameUrl }, where);
  else await pick(where);
}

function path(url) {
  return web(url) ? new URL(url).pathname : "";
}

/** Starts the picker; the panel tells how to use it. */
export async function pick({ windowId, tabId, frameId = 0, incognito }) {
  const { id } = await put(windowId, { state: "picking", tabId, frameId, incognito });
  let count;
  try {
    count = await run({ tabId, frameIds: [frameId] }, PICKER, choose);
  } catch {
    const access = await browser.permissions.contains({ origins: ["<all_urls>"] });
    await change(windowId, id, { state: "failed", error: { code: access ? "closed_page" : "needs_access" } });
    return;
  }
  if (count) await change(windowId, id, { count });
  else await change(windowId, id, { state: "failed", error: { code: "no_media_here" } });
}

export async function seek({ tabId, frameId }, seconds) {
  const target = { tabId, frameIds: [frameId ?? 0] };
  const [{ result }] = await browser.scripting.executeScript({ target, func: show, args: [seconds] });
  return result;
}

/** With site access the finder is in every page from the start, and sees what the menu was opened on. */
export async function followAccess() {
  const access = await browser.permissions.contains({ origins: ["<all_urls>"] });
  const [registered] = await browser.scripting.getRegisteredContentScripts({ ids: ["finder"] });
  if (access && !registered) {
    await browser.scripting.registerContentScripts([
      { id: "finder", matches: ["<all_urls>"], js: FINDER, allFrames: true, matchOriginAsFallback: true, runAt: "document_start" },
    ]);
  } else if (!access && registered) {
    await browser.scripting.unregisterContentScripts({ ids: ["finder"] });
  }
}
