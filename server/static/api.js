/**
 * The service over HTTP: one function a route, and one kind of error. Knows the wire, not the page. Addresses are
 * relative, so that the page also works below a path of a reverse proxy.
 */

/** @import { AnswerEvents, AskBody, ChangeEvents, DocumentList } from "./types.js" */
/** @import { DocumentText, Problem, Status, Uploaded, WireError } from "./types.js" */

import { readEvents } from "./sse.js";
import { currentSession, renewSession } from "./token.js";

const BACKGROUND_TIMEOUT_MS = 8000;

/** What the service refused or failed to do: `code` for programs, `message` and `hint` for people. */
export class ServiceError extends Error {
  /** @param {WireError} error @param {number|null} retryAfter In seconds; null: not said. */
  constructor({ code, message = "", hint = "" }, retryAfter = null) {
    super(message);
    this.name = "ServiceError";
    this.code = code;
    this.hint = hint;
    this.retryAfter = retryAfter;
  }
}

/**
 * An error as the page can show it.
 *
 * @param {unknown} error
 * @returns {Problem}
 */
export function asProblem(error) {
  return error instanceof ServiceError ? error : { code: "unknown", message: String(error) };
}

/** Whether an error only says that the page itself ended the request. @param {unknown} error */
export const isAbort = (error) => error instanceof DOMException && error.name === "AbortError";

/** `GET /status`. @returns {Promise<Status>} */
export async function getStatus() {
  return (await request("status", { background: true })).json();
}

/**
 * `GET /events`: yields what changes in the service, its status first, until the signal aborts.
 *
 * @param {AbortSignal} signal
 * @param {() => void} onBytes Called whenever anything arrives, heartbeats too.
 */
export async function* followChanges(signal, onBytes) {
  const response = await request("events", { headers: { Accept: "text/event-stream" }, signal, background: true });
  for await (const { name, data } of readEvents(response.body, onBytes)) {
    yield { name: /** @type {keyof ChangeEvents} */ (name), data: JSON.parse(data) };
  }
}

/**
 * `GET /documents`: one page.
 *
 * @param {number} limit Most documents on it.
 * @param {string|null} cursor Where it begins, from the page before; null: the first page.
 * @returns {Promise<DocumentList>}
 */
export async function getDocuments(limit, cursor) {
  const place = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
  return (await request(`documents?limit=${limit}${place}`, { background: true })).json();
}

/**
 * `GET /documents/{id}`: a stretch of a document's text.
 *
 * @param {string} id
 * @param {number} start In code points.
 * @param {number} end
 * @param {AbortSignal} signal
 * @returns {Promise<DocumentText>}
 */
export async function getText(id, start, end, signal) {
  return (await request(`${documentPath(id)}?start=${start}&end=${end}`, { signal })).json();
}

/** `DELETE /documents/{id}`. @param {string} id */
export async function forgetDocument(id) {
  await request(documentPath(id), { method: "DELETE" });
}

/** `POST /sync?retry=true`: tries files again that failed; comes back when all of them have been tried. */
export async function retryFailures() {
  await request("sync?retry=true", { method: "POST" });
}

/**
 * `POST /ask`: yields the events until the answer is done or the signal aborts.
 *
 * @param {AskBody} body
 * @param {AbortSignal} signal
 */
export async function* ask(body, signal) {
  const response = await request("ask", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify({ ...body, stream: true }),
    signal,
  });
  try {
    for await (const { name, data } of readEvents(response.body)) {
      yield { name: /** @type {keyof AnswerEvents} */ (name), data: JSON.parse(data) };
    }
  } catch (error) {
    throw error instanceof TypeError ? new ServiceError({ code: "interrupted" }) : error;
  }
}

/** `POST /prepare`: has the sources of a question read that is being written. @param {AskBody} body */
export async function prepare(body) {
  await request("prepare", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    background: true,
  });
}

/**
 * `POST /documents` with one file.
 *
 * @param {File} file
 * @param {(part: number) => void} onProgress Hears how much is sent, 0…1. (`fetch` cannot tell.)
 * @returns {Promise<Uploaded>}
 */
export async function uploadDocument(file, onProgress) {
  for (;;) {
    const session = currentSession();
    const sent = await sendFile(file, onProgress);
    if (sent.status === 401 && (await renewSession(session, false))) continue;
    const body = parse(sent.responseText);
    if (sent.status === 201) return body.uploaded[0];
    throw errorFrom(sent.status, body, sent.getResponseHeader("Retry-After"));
  }
}

/**
 * The address of a document's original file, at the page where something stands.
 *
 * @param {{document_id: string, url?: string, source: string, page?: number|null}} item
 */
export function originalUrl({ document_id, url, source, page }) {
  const own = new URL(`${documentPath(document_id)}/file`, document.baseURI);
  const given = url ? new URL(url, document.baseURI) : own;
  const address = given.origin === location.origin ? given : own;
  if (page && !address.hash && /\.pdf$/i.test(source)) address.hash = `page=${page}`;
  return address.href;
}

/** The route of a document. @param {string} id */
export const documentPath = (id) => `documents/${encodeURIComponent(id)}`;

/**
 * Asks a route, again in another session where it is refused.
 *
 * @param {string} path
 * @param {RequestInit & {background?: boolean}} options `background`: nobody waits for it.
 */
export async function request(path, { background = false, ...options } = {}) {
  for (;;) {
    const session = currentSession();
    const response = await (background ? sendInTime(path, options) : send(path, options));
    if (response.ok) return response;
    if (response.status === 401 && (await renewSession(session, background))) continue;
    throw errorFrom(response.status, parse(await response.text()), response.headers.get("Retry-After"));
  }
}

/**
 * Gives up when no response begins for long; how long its body takes is not limited.
 *
 * @param {string} path
 * @param {RequestInit} options
 */
async function sendInTime(path, options) {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new ServiceError({ code: "unreachable" })), BACKGROUND_TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, late.signal]) : late.signal;
  try {
    return await send(path, { ...options, signal });
  } finally {
    clearTimeout(timer);
  }
}

/** @param {string} path @param {RequestInit} options */
async function send(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ServiceError({ code: "unreachable" });
  }
}

/**
 * @param {File} file
 * @param {(part: number) => void} onProgress
 * @returns {Promise<XMLHttpRequest>}
 */
function sendFile(file, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("files", file, file.name);
    const transfer = new XMLHttpRequest();
    transfer.open("POST", "documents");
    transfer.upload.addEventListener("progress", ({ loaded, total }) => total && onProgress(loaded / total));
    transfer.addEventListener("load", () => resolve(transfer));
    transfer.addEventListener("error", () => reject(new ServiceError({ code: "unreachable" })));
    transfer.send(form);
  });
}

/** @param {number} status @param {{error?: WireError}|null} body @param {string|null} retryAfter */
function errorFrom(status, body, retryAfter) {
  const seconds = Number.parseInt(retryAfter ?? "", 10);
  const error = body?.error ?? { code: status === 401 ? "unauthorized" : "unknown", message: `HTTP ${status}` };
  return new ServiceError(error, Number.isNaN(seconds) ? null : seconds);
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
