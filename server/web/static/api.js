// Talking to the API from our own pages. The log-in's cookie counts only together with X-CSRF-Token.

const csrf = document.querySelector('meta[name="csrf-token"]').content;

/** An error of the API: `code` to quote, `message` for people. */
export class ApiError extends Error {
  constructor(error) {
    super(error.message);
    this.code = error.code;
    this.requestId = error.request_id;
  }
}

export async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { "X-CSRF-Token": csrf, ...options.headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError({ code: "offline", message: "The server cannot be reached. Nothing was lost; try again." });
  }
  if (response.status === 401) location.assign("/login");
  if (response.ok) return response;
  const body = await response.json().catch(() => null);
  throw new ApiError(body?.error ?? { code: `http_${response.status}`, message: "The server gave no readable answer." });
}

export const getJson = async (path, options) => (await ask(path, options)).json();

export function postJson(path, body) {
  const headers = { "Content-Type": "application/json" };
  return ask(path, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Reads server-sent events with fetch: EventSource cannot send the header above. */
export async function* events(path, signal) {
  const response = await ask(path, { signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const blocks = rest.split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const data = block.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
      if (data.length) yield JSON.parse(data.join("\n"));
    }
  }
}

/** An evidence picture as an address for <img>; the picture itself needs the header, too. */
export async function picture(path) {
  return URL.createObjectURL(await (await ask(path)).blob());
}
