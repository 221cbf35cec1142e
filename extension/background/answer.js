// Who may ask what. A script in a page may name a media while a picker is open in its tab; everything else is for the
// extension's own pages. No web page can send a message here at all.

import { browser } from "../shared/browser.js";
import "../shared/messages.js";
import { again, check, poll, send, withdraw } from "./checks.js";
import { pick, seek } from "./find.js";
import { forget, past } from "./history.js";
import { change, job, windowPickingIn } from "./jobs.js";
import { json, origin, picture, ServerError, test } from "./server.js";
import { prefer, settings } from "./settings.js";
import { dropToken, keepToken, readToken } from "./vault.js";

const { fromContent, fromPages } = globalThis.unmaskMessages;
const OURS = browser.runtime.getURL("");

const PAGES = {
  [fromPages.about]: async () => ({ ...(await settings()), connected: Boolean(await readToken()) }),
  [fromPages.connect]: ({ server, token }) => connect(origin(server), token.trim()),
  [fromPages.disconnect]: dropToken,
  [fromPages.pair]: pair,
  [fromPages.prefer]: ({ type, ...chosen }) => prefer(chosen),
  [fromPages.forget]: forget,
  [fromPages.past]: past,
  [fromPages.poll]: poll,
  [fromPages.again]: again,
  [fromPages.send]: send,
  [fromPages.withdraw]: withdraw,
  [fromPages.pick]: ({ windowId }) => pickInActiveTab(windowId),
  [fromPages.address]: ({ windowId, url }) => check({ kind: "file", url, frameUrl: null }, { windowId }),
  [fromPages.seek]: async ({ windowId, seconds }) => seek(await job(windowId), seconds),
  [fromPages.read]: ({ path }) => read(path),
  [fromPages.picture]: ({ path }) => picture(path),
};

/** True where an answer will follow: so the browser keeps the line open. */
export function answer(message, sender, reply) {
  if (sender.id !== browser.runtime.id) return false;
  if (sender.url?.startsWith(OURS)) {
    const act = PAGES[message.type];
    if (!act) return false;
    Promise.resolve(act(message)).then((value) => reply({ value }), (error) => reply({ error: told(error) }));
    return true;
  }
  if (sender.tab && Object.values(fromContent).includes(message.type)) fromPicker(message, sender);
  return false;
}

function told(error) {
  if (error instanceof ServerError) return error.plain;
  console.error(error);
  return { code: "extension", message: String(error) };
}

/** Only what a picker can say is taken over, and only from a tab where the person opened one. */
async function fromPicker({ type, media }, { tab, frameId }) {
  const windowId = await windowPickingIn(tab.id);
  if (windowId === null) return;
  const { id } = await job(windowId);
  if (type === fromContent.left) {
    await change(windowId, id, { state: "idle" });
    return;
  }
  const frameUrl = String(media.frameUrl);
  const chosen = { kind: media.kind === "video" ? "video" : "image", url: media.url === null ? null : String(media.url), frameUrl };
  await check(chosen, { windowId, tabId: tab.id, frameId, incognito: tab.incognito });
}

async function pickInActiveTab(windowId) {
  const [tab] = await browser.tabs.query({ active: true, windowId });
  await pick({ windowId, tabId: tab.id, incognito: tab.incognito });
}

async function connect(server, token) {
  await test(server, token);
  await browser.storage.local.set({ server });
  await keepToken(token);
}

async function pair({ server, code }) {
  const at = origin(server);
  const { token } = await json("/api/v1/pairings", { server: at, token: "", method: "POST", json: { code } });
  await connect(at, token);
}

function read(path) {
  if (!/^\/api\/v1\/[\w./?=&-]+$/.test(path)) throw new ServerError({ code: "not_found" });
  return json(path);
}
