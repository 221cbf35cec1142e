// Asking for a check and following it. The panel comes by once a second; between two visits this may all be unloaded.

import { carried } from "./carry.js";
import { remember } from "./history.js";
import { change, job, put } from "./jobs.js";
import { call, json, ServerError } from "./server.js";
import { settings } from "./settings.js";
import { readToken } from "./vault.js";

const FINAL = ["complete", "failed", "cancelled"];

/** What the server is asked: the media's address, else the page that shows it. */
export function question({ url, frameUrl }, force) {
  const asked = { url: url ?? frameUrl };
  if (url && frameUrl) asked.page_url = frameUrl;
  if (force) asked.force = true;
  return asked;
}

/** `where`: {windowId, tabId, frameId, incognito}. */
export function check(media, where, force = false) {
  return start(media, where, () => {
    if (!media.url && media.kind === "image") throw new ServerError({ code: "only_here" });
    return { json: question(media, force) };
  });
}

/** When the server cannot fetch it: the file itself goes there, as this browser sees it. */
export async function send({ windowId }) {
  const before = await chosenIn(windowId);
  await start(before.media, before.where, async () => ({ form: await carried(before.media, before.where) }));
}

async function start(media, { windowId, ...where }, request) {
  const { server } = await settings();
  const { id } = await put(windowId, { state: "checking", stage: "queued", progress: 0, media, server, ...where });
  await guarded(windowId, id, async () => {
    if (!(await readToken())) throw new ServerError({ code: "not_connected" });
    const body = await json("/api/v1/checks", { method: "POST", ...(await request()) });
    if (body.state === "complete" && body.media) await finish(windowId, id, body);
    else await change(windowId, id, { check: body.id, previous: body.previous });
  });
}

export async function poll({ windowId }) {
  const now = await job(windowId);
  if (now?.state !== "checking" || !now.check) return;
  await guarded(windowId, now.id, async () => {
    const response = await call(`/api/v1/checks/${now.check}`, { etag: now.etag });
    if (response.status === 304) return;
    const { state, stage, progress, previous, verdict, error } = await response.json();
    if (state === "complete") await finish(windowId, now.id, verdict);
    else if (FINAL.includes(state)) await fail(windowId, now.id, error ?? { code: state });
    else await change(windowId, now.id, { stage, progress, previous, etag: response.headers.get("ETag"), trouble: null });
  });
}

export async function again({ windowId, force }) {
  const { media, where } = await chosenIn(windowId);
  await check(media, where, force);
}

async function chosenIn(windowId) {
  const before = await job(windowId);
  if (!before?.media) throw new ServerError({ code: "nothing_chosen" });
  const { media, tabId, frameId, incognito } = before;
  return { media, where: { windowId, tabId, frameId, incognito } };
}

export async function withdraw({ windowId }) {
  const now = await job(windowId);
  if (now?.state !== "checking") return;
  await change(windowId, now.id, { state: "idle" });
  if (now.check) await call(`/api/v1/checks/${now.check}`, { method: "DELETE" });
}

async function finish(windowId, id, verdict) {
  const done = await change(windowId, id, { state: "done", verdict, previous: null });
  if (done) await remember(done);
}

const fail = (windowId, id, error) => change(windowId, id, { state: "failed", error, previous: null });

/** A check that is under way survives a server that is away for a while: the panel says so, and asks again. */
async function guarded(windowId, id, act) {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    const now = await job(windowId);
    const passing = ["offline", "slow", "rate_limited", "busy", "database_busy"].includes(error.plain.code);
    if (now?.check && passing) await change(windowId, id, { trouble: error.plain });
    else await fail(windowId, id, error.plain);
  }
}
