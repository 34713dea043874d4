/** The conversations that the service keeps, over HTTP. */

/** @import { Conversation, ConversationList, KeptTurn } from "../types.js" */

import { request } from "../api.js";

const path = (/** @type {string} */ id) => `conversations/${encodeURIComponent(id)}`;

/** @param {string} method @param {object} body @returns {RequestInit} */
const sending = (method, body) => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

/** `GET /conversations`. @param {string} query @returns {Promise<ConversationList>} */
export const listConversations = async (query) =>
  (await request(`conversations?q=${encodeURIComponent(query)}`)).json();

/** Whether the service keeps new conversations. @returns {Promise<boolean>} */
export const keepsConversations = async () => (await (await request("conversations?limit=1")).json()).keeps;

/** `GET /conversations/{id}`. @param {string} id @returns {Promise<Conversation>} */
export const getConversation = async (id) => (await request(path(id))).json();

/** `POST /conversations`. @returns {Promise<string>} Its id. */
export const beginConversation = async () => (await (await request("conversations", { method: "POST" })).json()).id;

/** `POST /conversations/{id}/turns`. @param {string} id @param {KeptTurn} turn */
export const addTurn = (id, turn) => request(`${path(id)}/turns`, sending("POST", turn));

/** `PATCH /conversations/{id}`. @param {string} id @param {string} title */
export const renameConversation = (id, title) => request(path(id), sending("PATCH", { title }));

/** `DELETE /conversations/{id}`. @param {string} id */
export const deleteConversation = (id) => request(path(id), { method: "DELETE" });

/** `GET /conversations/{id}/export`: Markdown. @param {string} id */
export const exportConversation = async (id) => (await request(`${path(id)}/export`)).blob();
