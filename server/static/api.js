/**
 * The service over HTTP: one function a route, and one kind of error. Knows the wire, not the page. Addresses are
 * relative, so that the page also works below a path of a reverse proxy.
 */

import { readEvents } from "./sse.js";
import { currentToken, renewToken } from "./token.js";

const STATUS_TIMEOUT_MS = 8000;

/** What the service refused or failed to do: `code` for programs, `message` and `hint` for people. */
export class ServiceError extends Error {
  constructor({ code, message = "", hint = "" }, retryAfter = null) {
    super(message);
    this.name = "ServiceError";
    this.code = code;
    this.hint = hint;
    this.retryAfter = retryAfter;
  }
}

/** `GET /status`. */
export async function getStatus() {
  const response = await request("status", { signal: AbortSignal.timeout(STATUS_TIMEOUT_MS), background: true });
  return response.json();
}

/** `GET /documents`. */
export async function getDocuments() {
  return (await request("documents", { background: true })).json();
}

/** `GET /documents/{id}`: a stretch of a document's text; offsets in code points. */
export async function getText(id, start, end, signal) {
  return (await request(`${documentPath(id)}?start=${start}&end=${end}`, { signal })).json();
}

/** `DELETE /documents/{id}`. */
export async function forgetDocument(id) {
  await request(documentPath(id), { method: "DELETE" });
}

/** `POST /sync?retry=true`: tries files again that failed; comes back when all of them have been tried. */
export async function retryFailures() {
  await request("sync?retry=true", { method: "POST" });
}

/** `POST /ask`: yields `{name, data}` until the answer is done or the signal aborts. */
export async function* ask(body, signal) {
  const response = await request("ask", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify({ ...body, stream: true }),
    signal,
  });
  try {
    for await (const { name, data } of readEvents(response.body)) yield { name, data: JSON.parse(data) };
  } catch (error) {
    throw error instanceof TypeError ? new ServiceError({ code: "interrupted" }) : error;
  }
}

/**
 * `POST /documents` with one file.
 *
 * @param {File} file
 * @param {(part: number) => void} onProgress Hears how much is sent, 0…1. (`fetch` cannot tell.)
 * @returns {Promise<{root: string, source: string}>}
 */
export async function uploadDocument(file, onProgress) {
  for (;;) {
    const token = currentToken();
    const sent = await sendFile(file, token, onProgress);
    if (sent.status === 401 && (await renewToken(token, false))) continue;
    const body = parse(sent.responseText);
    if (sent.status === 201) return body.uploaded[0];
    throw errorFrom(sent.status, body, sent.getResponseHeader("Retry-After"));
  }
}

/**
 * The address of a document's original file, at the page where something stands.
 *
 * @param {{document_id?: string, id?: string, url?: string, source: string, page?: number|null}} item
 */
export function originalUrl({ document_id, id, url, source, page }) {
  const own = new URL(`${documentPath(document_id ?? id)}/file`, document.baseURI);
  const given = url ? new URL(url, document.baseURI) : own;
  const address = given.origin === location.origin ? given : own;
  if (page && !address.hash && /\.pdf$/i.test(source)) address.hash = `page=${page}`;
  return address.href;
}

/**
 * Opens an original where a token is needed, which a plain link cannot send. Anything but a PDF is opened as plain
 * text: a file must never run as a part of this page.
 */
export async function openWithToken(address) {
  const tab = window.open("", "_blank");
  try {
    const blob = await (await request(address)).blob();
    const type = blob.type === "application/pdf" ? blob.type : "text/plain;charset=utf-8";
    const file = URL.createObjectURL(new Blob([blob], { type }));
    if (tab) tab.location = file + new URL(address).hash;
  } catch (error) {
    tab?.close();
    throw error;
  }
}

const documentPath = (id) => `documents/${encodeURIComponent(id)}`;

async function request(path, { background = false, ...options } = {}) {
  for (;;) {
    const token = currentToken();
    const response = await send(path, options, token);
    if (response.ok) return response;
    if (response.status === 401 && (await renewToken(token, background))) continue;
    throw errorFrom(response.status, parse(await response.text()), response.headers.get("Retry-After"));
  }
}

async function send(path, options, token) {
  const headers = { ...options.headers, ...(token && { Authorization: `Bearer ${token}` }) };
  try {
    return await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServiceError({ code: "unreachable" });
  }
}

function sendFile(file, token, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append("files", file, file.name);
    const transfer = new XMLHttpRequest();
    transfer.open("POST", "documents");
    if (token) transfer.setRequestHeader("Authorization", `Bearer ${token}`);
    transfer.upload.addEventListener("progress", ({ loaded, total }) => total && onProgress(loaded / total));
    transfer.addEventListener("load", () => resolve(transfer));
    transfer.addEventListener("error", () => reject(new ServiceError({ code: "unreachable" })));
    transfer.send(form);
  });
}

function errorFrom(status, body, retryAfter) {
  const seconds = Number.parseInt(retryAfter ?? "", 10);
  const error = body?.error ?? { code: status === 401 ? "unauthorized" : "unknown", message: `HTTP ${status}` };
  return new ServiceError(error, Number.isNaN(seconds) ? null : seconds);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
