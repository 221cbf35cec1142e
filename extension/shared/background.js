// How the extension's own pages ask the background. Errors arrive as they left: a code, a sentence, a number to quote.

import { browser } from "./browser.js";
import "./messages.js";

export const { fromPages } = globalThis.unmaskMessages;

export class Problem extends Error {
  constructor({ code, message, requestId, retryAfter }) {
    super(message);
    Object.assign(this, { code, requestId, retryAfter });
  }
}

export async function background(type, data = {}) {
  const answer = await browser.runtime.sendMessage({ type, ...data });
  if (answer?.error) throw new Problem(answer.error);
  return answer?.value;
}

/** A verdict on the server's own page: what people pass on. */
export const reportOf = (server, verdictId) => `${server}/#verdict-${verdictId}`;
