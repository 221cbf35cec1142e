// What each window's panel shows. In storage.session: it outlives the background, which the browser ends when idle, and
// scripts in pages cannot read it.

import { browser } from "../shared/browser.js";

const key = (windowId) => `job:${windowId}`;

export async function job(windowId) {
  return (await browser.storage.session.get(key(windowId)))[key(windowId)] ?? null;
}

/** A new job takes the place of the one before. */
export async function put(windowId, made) {
  const fresh = { id: crypto.randomUUID(), ...made };
  await browser.storage.session.set({ [key(windowId)]: fresh });
  return fresh;
}

/** Changes the job, unless another one has taken its place meanwhile. */
export async function change(windowId, id, changes) {
  const now = await job(windowId);
  if (now?.id !== id) return null;
  const changed = { ...now, ...changes };
  await browser.storage.session.set({ [key(windowId)]: changed });
  return changed;
}

/** The window that has a job in this tab: whose picker may speak. */
export async function windowPickingIn(tabId) {
  const all = await browser.storage.session.get(null);
  const found = Object.entries(all).find(([name, { state, tabId: tab }]) => name.startsWith("job:") && state === "picking" && tab === tabId);
  return found ? Number(found[0].slice("job:".length)) : null;
}
