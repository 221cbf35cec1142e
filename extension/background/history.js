// The person's own checks, newest first. Nothing is kept of private windows.

import { browser } from "../shared/browser.js";
import { settings } from "./settings.js";

const MOST = 100;

export const past = async () => (await browser.storage.local.get({ past: [] })).past;
export const forget = () => browser.storage.local.remove("past");

export async function remember({ verdict, media, server, incognito }) {
  if (incognito || !(await settings()).history) return;
  const { id, label } = verdict;
  const entry = { id, label, server, url: media.url ?? media.frameUrl, at: new Date().toISOString() };
  const others = (await past()).filter((one) => one.id !== id);
  await browser.storage.local.set({ past: [entry, ...others].slice(0, MOST) });
}
