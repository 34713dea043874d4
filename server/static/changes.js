/**
 * What changes in the service, as it tells it: one stream that is kept open while the page is in sight, and opened
 * again when it breaks. A service without such a stream is asked for its status from time to time. Shows nothing.
 */

/** @import { Problem, Status } from "./types.js" */

import { asProblem, followChanges, getStatus } from "./api.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const POLL_MS = 10_000;
const SILENCE_MS = 60_000; // several heartbeats of the service

/**
 * @typedef {object} Listeners
 * @property {(status: Status) => void} onStatus Gets each status that arrives.
 * @property {() => void} onDocuments Called when the list of documents may have changed.
 * @property {(failure: Problem) => void} onFailure Hears why the service cannot be followed.
 */

/** @type {AbortController|null} */
let current = null;
/** @type {() => void} */
let restart = () => {};

/** Follows the service for as long as the page is open. @param {Listeners} listeners */
export function startChanges(listeners) {
  restart = () => {
    current?.abort();
    current = document.hidden ? null : new AbortController();
    if (current) keepFollowing(listeners, current.signal);
  };
  // A page out of sight keeps no connection: the browser has only a few for all of its tabs.
  document.addEventListener("visibilitychange", restart);
  restart();
}

/** Tries again at once. */
export function reconnect() {
  restart();
}

/** @param {Listeners} listeners @param {AbortSignal} signal */
async function keepFollowing(listeners, signal) {
  let wait = FIRST_WAIT_MS;
  while (!signal.aborted) {
    try {
      await follow(listeners, signal, () => (wait = FIRST_WAIT_MS));
    } catch (error) {
      if (signal.aborted) return;
      const failure = asProblem(error);
      if (failure.code === "not_found") {
        await poll(listeners, signal);
        return;
      }
      listeners.onFailure(failure);
    }
    await pause(wait, signal);
    wait = Math.min(2 * wait, LONGEST_WAIT_MS);
  }
}

/**
 * Follows until the stream ends, breaks, or is silent for too long.
 *
 * @param {Listeners} listeners
 * @param {AbortSignal} signal
 * @param {() => void} onEvent
 */
async function follow({ onStatus, onDocuments }, signal, onEvent) {
  const silence = new AbortController();
  let timer = 0;
  const listen = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  let isFirst = true;
  try {
    for await (const { name, data } of followChanges(AbortSignal.any([signal, silence.signal]), listen)) {
      onEvent();
      if (name === "status") onStatus(data);
      // What happened before the stream was there is not told by it.
      if (name === "documents" || isFirst) onDocuments();
      isFirst = false;
    }
  } catch (error) {
    // A stream that breaks is opened again; only where that fails is there something to tell.
    if (isFirst) throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** @param {Listeners} listeners @param {AbortSignal} signal */
async function poll({ onStatus, onDocuments, onFailure }, signal) {
  let seen = "";
  while (!signal.aborted) {
    try {
      const status = await getStatus();
      const state = JSON.stringify(status);
      onStatus(status);
      if (state !== seen) onDocuments();
      seen = state;
    } catch (error) {
      onFailure(asProblem(error));
    }
    await pause(POLL_MS, signal);
  }
}

/** @param {number} milliseconds @param {AbortSignal} signal @returns {Promise<void>} */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
