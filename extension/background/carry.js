// What the server cannot fetch, the browser can: with the cookies of the site, or out of the page itself.

import { browser } from "../shared/browser.js";
import { ServerError } from "./server.js";

const read = () => globalThis.unmask?.bytes() ?? null;

/** A form with the file. Where it is said to come from is shown as a claim: it answers nobody's look-up. */
export async function carried({ url, frameUrl }, { tabId, frameId }) {
  const file = url ? await fetched(url) : await held({ tabId, frameIds: [frameId ?? 0] });
  if (!/^(image|video)\//.test(file.type)) throw new ServerError({ code: "not_carried" });
  const form = new FormData();
  form.append("file", file, "media");
  form.append("acquisition", "background");
  form.append("claimed_url", url ?? frameUrl);
  return form;
}

async function fetched(url) {
  const response = await fetch(url, { credentials: "include" }).catch(() => null);
  if (!response?.ok) throw new ServerError({ code: "not_carried" });
  return response.blob();
}

/** blob: and data: lead nowhere outside of their page. */
async function held(target) {
  const [{ result }] = await browser.scripting.executeScript({ target, func: read }).catch(() => [{ result: null }]);
  if (!result) throw new ServerError({ code: "not_carried" });
  return (await fetch(result)).blob();
}
