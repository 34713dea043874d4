/**
 * Adding files: by button, or by dropping them anywhere on the page. Each file is sent alone, so that one that is
 * refused does not take the others with it, and is followed until the list of documents shows what became of it.
 */

/** @import { DocumentList, Uploaded } from "./types.js" */
/** @typedef {ReturnType<typeof makeRow>} Row */
/**
 * @typedef {Uploaded & {row: Row, before: string|null, sentAt: number, hasWaited: boolean}} Upload A file that was
 *   sent; `before` is when it had been indexed last.
 */

import { asProblem, uploadDocument } from "./api.js";
import { announce, byId, dismissButton, element, problem } from "./dom.js";
import { showMessage } from "./documents.js";
import { say, words } from "./i18n.js";
import { knownDocuments, onDocuments, reloadDocuments } from "./document-list.js";
import { closeViewer } from "./viewer/viewer.js";

const SHOWN_WHEN_DONE_MS = 6000;
const UNCHANGED_AFTER_MS = 15000;

/** @type {Set<Upload>} */
const followed = new Set();
let sending = Promise.resolve();

/** Connects the button and the page. */
export function startUploads() {
  const input = byId("upload-input");
  byId("upload-button").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    addFiles([...(input.files ?? [])]);
    input.value = "";
  });
  startDropping();
  onDocuments(follow);
}

function startDropping() {
  const overlay = byId("drop-overlay");
  /** @param {DragEvent} event */
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0;
  /** @param {number} change */
  const show = (change) => {
    depth = Math.max(0, depth + change);
    overlay.hidden = depth === 0;
  };
  window.addEventListener("dragenter", (event) => carriesFiles(event) && show(1));
  window.addEventListener("dragleave", (event) => carriesFiles(event) && show(-1));
  window.addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  window.addEventListener("drop", (event) => {
    if (!event.dataTransfer || !carriesFiles(event)) return;
    event.preventDefault();
    show(-depth);
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
    const files = [...event.dataTransfer.files].filter((_, at) => !entries[at]?.isDirectory);
    if (files.length < entries.length) showMessage(say(element("p", { class: "note" }), "upload.folder"));
    addFiles(files);
  });
}

/** @param {File[]} files */
function addFiles(files) {
  if (files.length) closeViewer();
  for (const file of files) {
    const row = makeRow(file.name);
    byId("uploads").append(row.node);
    sending = sending.then(() => send(file, row));
  }
}

/** @param {File} file @param {Row} row */
async function send(file, row) {
  try {
    row.progress.hidden = false;
    const { root, source } = await uploadDocument(file, (part) => showProgress(row, part));
    const known = knownDocuments().find((entry) => entry.root === root && entry.source === source);
    const before = known?.indexed_at ?? null;
    followed.add({ row, root, source, before, sentAt: performance.now(), hasWaited: false });
    row.progress.hidden = true;
    setState(row, "queued");
    setTimeout(reloadDocuments, UNCHANGED_AFTER_MS);
    await reloadDocuments();
  } catch (error) {
    row.progress.remove();
    row.node.dataset.state = "refused";
    row.state.replaceChildren();
    row.node.append(problem(asProblem(error)));
  }
}

/** @param {string} name */
function makeRow(name) {
  const progress = element("progress", { max: "1", value: "0", hidden: true, "aria-label": name });
  const state = say(element("span", { class: "meta" }), "upload.waiting");
  const dismiss = dismissButton(() => node.remove());
  const title = element("p", { class: "document-title" }, name);
  const attributes = { class: "upload", "data-state": "sending", "data-name": name };
  const node = element("li", attributes, title, dismiss, state, progress);
  return { node, progress, state };
}

/** @param {Row} row @param {number} part */
function showProgress(row, part) {
  row.progress.value = part;
  say(row.state, "upload.sending", { percent: Math.round(part * 100) });
}

/** @param {Row} row @param {string} state */
function setState(row, state) {
  row.node.dataset.state = state;
  say(row.state, `upload.${state}`);
}

/** Sees in a new list what became of the files that were sent. @param {DocumentList} list */
function follow({ documents, failures, pending, next }) {
  for (const upload of followed) {
    /** @param {Uploaded} other */
    const isSame = ({ root, source }) => root === upload.root && source === upload.source;
    if (pending.includes(upload.source)) {
      upload.hasWaited = true;
      continue;
    }
    const entry = documents.find(isSame);
    // A file that is the same as before is never indexed again: it counts as done when nothing happens to it.
    const isLong = performance.now() - upload.sentAt >= UNCHANGED_AFTER_MS;
    // It may stand on a page of the list that is not known here.
    const isRead = entry ? entry.indexed_at !== upload.before : Boolean(next) && upload.hasWaited;
    if (failures.some(isSame)) remove(upload);
    else if (isRead || (isLong && (entry || next))) finish(upload);
  }
}

/** @param {Upload} upload */
function finish(upload) {
  setState(upload.row, "indexed");
  announce(`${upload.source}: ${words("upload.indexed")}`);
  followed.delete(upload);
  setTimeout(() => upload.row.node.remove(), SHOWN_WHEN_DONE_MS);
}

/** @param {Upload} upload */
function remove(upload) {
  followed.delete(upload);
  upload.row.node.remove();
}
