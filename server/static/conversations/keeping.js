/**
 * Keeps the conversation that is on the page, turn by turn, where the service keeps any. What cannot be kept stays on
 * the page all the same; it is said, and the next turn is tried again.
 */

/** @import { KeptTurn } from "../types.js" */

import { ServiceError } from "../api.js";
import { addTurn, beginConversation, keepsConversations } from "./api.js";

/** @type {string|null} */
let current = null;
let last = Promise.resolve();

/** The conversation on the page, if it is kept. */
export const currentConversation = () => current;

/** Goes on with a conversation; null: with a new one. @param {string|null} id */
export function goOnWith(id) {
  current = id;
}

/**
 * Keeps a turn, after those before it.
 *
 * @param {KeptTurn} turn
 * @param {(error: unknown) => void} onFailure
 */
export function keep(turn, onFailure) {
  last = last.then(() => write(turn)).catch(onFailure);
}

/** @param {KeptTurn} turn */
async function write(turn) {
  if (!current && !(await keepsConversations())) return;
  try {
    current ??= await beginConversation();
    await addTurn(current, turn);
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== "not_found") throw error;
    current = null; // it was deleted meanwhile
  }
}
