// Talking to the server. Nobody else does: the token stays in the background.

import { settings } from "./settings.js";
import { readToken } from "./vault.js";

const SECONDS = 20;

/** What went wrong, as the panel shows it: `code` decides what to do, `message` is a sentence. */
export class ServerError extends Error {
  constructor({ code, message = "", requestId, retryAfter }) {
    super(message);
    this.plain = { code, message, requestId, retryAfter };
  }
}

/** `http://host:8000/` -> `http://host:8000`; anything that is no web address is refused. */
export function origin(text) {
  const address = text.trim();
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) throw new ServerError({ code: "not_an_address" });
  return url.origin;
}

export async function call(path, { server, token, method = "GET", json, form, etag } = {}) {
  const at = server ?? (await settings()).server;
  const bearer = token ?? (await readToken());
  const headers = {};
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  if (json !== undefined) headers["Content-Type"] = "application/json";
  if (etag) headers["If-None-Match"] = etag;
  const body = json === undefined ? form : JSON.stringify(json);
  let response;
  try {
    response = await fetch(at + path, { method, headers, body, credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(SECONDS * 1000) });
  } catch (error) {
    throw new ServerError({ code: error.name === "TimeoutError" ? "slow" : "offline", message: at });
  }
  if (response.ok || response.status === 304) return response;
  throw await refusal(response, at);
}

async function refusal(response, at) {
  const said = (await response.json().catch(() => null))?.error;
  if (typeof said?.code !== "string") return new ServerError({ code: "wrong_server", message: at });
  const retryAfter = Number(response.headers.get("Retry-After")) || undefined;
  return new ServerError({ code: said.code, message: said.message, requestId: said.request_id, retryAfter });
}

export async function json(path, options) {
  const response = await call(path, options);
  try {
    return await response.json();
  } catch {
    throw new ServerError({ code: "wrong_server", message: response.url });
  }
}

/** Does an Unmask answer there, and does it take this token? */
export async function test(server, token) {
  const models = await json("/api/v1/models", { server, token });
  if (typeof models?.pipeline !== "string") throw new ServerError({ code: "wrong_server", message: server });
}

/** An evidence picture as a data: address: the panel has no token to fetch it with. */
export async function picture(path) {
  if (!/^\/api\/v1\/evidence\/[0-9a-f]{32}$/.test(path)) throw new ServerError({ code: "not_found" });
  const response = await call(path);
  const bytes = new Uint8Array(await response.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return `data:${response.headers.get("Content-Type")};base64,${btoa(text)}`;
}
