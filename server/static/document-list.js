/**
 * The documents as far as the page knows them: the first page of `GET /documents`, and as many more as somebody wants.
 * Asked for again when the service says that they may have changed, at most once a second. Shows nothing.
 */

/** @import { DocumentList, Problem } from "./types.js" */

import { asProblem, getDocuments } from "./api.js";

/** Documents on one page. */
export const PAGE_SIZE = 100;

const PAUSE_MS = 1000;

/** How many documents are wanted, and by whom. @type {Map<string, number>} */
const wants = new Map();
/** @type {((known: DocumentList) => void)[]} */
const listeners = [];
/** @type {(failure: Problem) => void} */
let onFailure = () => {};
/** @type {DocumentList|null} */
let known = null;
/** What is being fetched, one thing after the other. @type {Promise<void>} */
let loading = Promise.resolve();
/** The next reload, until it begins. @type {Promise<void>|null} */
let coming = null;
let begunAt = -Infinity;

/** Names who hears of failures. @param {(failure: Problem) => void} listener */
export function startList(listener) {
  onFailure = listener;
}

/** Calls back with each new list of documents. @param {(known: DocumentList) => void} listener */
export function onDocuments(listener) {
  listeners.push(listener);
}

/** What is known at the moment; null before the first answer. */
export function currentList() {
  return known;
}

/** The documents that are known at the moment. */
export function knownDocuments() {
  return known?.documents ?? [];
}

/** Whether all documents are known. */
export function isComplete() {
  return known !== null && !known.next;
}

/**
 * Wants at least so many documents from now on, and fetches those that are missing.
 *
 * @param {string} name Who wants them; a new wish takes the place of the one before.
 * @param {number} count Infinity: all.
 */
export function wantDocuments(name, count) {
  wants.set(name, count);
  return load(async () => known && complete(known));
}

/** Fetches the list again: at once, or when the last time is long enough ago; all who ask until then share it. */
export function reloadDocuments() {
  coming ??= until(begunAt + PAUSE_MS).then(() => {
    coming = null;
    begunAt = performance.now();
    return load(async () => complete(await getDocuments(PAGE_SIZE, null)));
  });
  return coming;
}

/** @param {number} time As `performance.now()` tells it. @returns {Promise<void>} */
const until = (time) => new Promise((resolve) => setTimeout(resolve, Math.max(0, time - performance.now())));

/** @param {() => Promise<DocumentList|null>} fetchList */
function load(fetchList) {
  loading = loading.then(async () => {
    try {
      take(await fetchList());
    } catch (error) {
      onFailure(asProblem(error));
    }
  });
  return loading;
}

/** @param {DocumentList|null} list */
function take(list) {
  if (list === null || list === known) return;
  known = list;
  for (const listener of listeners) listener(list);
}

/** @param {DocumentList} list */
const isEnough = ({ documents, next }) => !next || documents.length >= Math.max(PAGE_SIZE, ...wants.values());

/** Adds pages until there are as many documents as are wanted. @param {DocumentList} list */
async function complete(list) {
  let whole = list;
  while (!isEnough(whole)) {
    const { documents, next } = await getDocuments(PAGE_SIZE, whole.next);
    whole = { ...whole, documents: [...whole.documents, ...documents], next };
  }
  return whole;
}
