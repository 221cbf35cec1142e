// What the person chose. The token is not among it: see vault.js.

import { browser } from "../shared/browser.js";

const DEFAULTS = { server: "http://127.0.0.1:8000", language: "auto", history: true };

export const settings = () => browser.storage.local.get(DEFAULTS);

export async function prefer(chosen) {
  const known = Object.entries(chosen).filter(([name]) => name in DEFAULTS);
  await browser.storage.local.set(Object.fromEntries(known));
}
