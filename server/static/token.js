/**
 * The token that a service may ask for: asked for in a dialog and shown to the service once, which knows the page by a
 * cookie from then on; no script can read that, and none keeps the token. However many requests are refused at once,
 * there is one dialog; a reader who cancels it is not asked again by requests in the background.
 */

import { byId } from "./dom.js";

/** How often a session has begun here: a request that was refused before may go now. */
let sessions = 0;
/** @type {Promise<boolean>|null} */
let asking = null;
let declined = false;

/** Names the session in which a request is sent. */
export const currentSession = () => sessions;

/**
 * Begins another session than the one in which a request was refused.
 *
 * @param {number} refused
 * @param {boolean} background Whether nobody is waiting for the request.
 * @returns {Promise<boolean>} Whether there is one.
 */
export function renewSession(refused, background) {
  if (sessions !== refused) return Promise.resolve(true);
  if (background && declined) return Promise.resolve(false);
  asking ??= enter().finally(() => (asking = null));
  return asking;
}

async function enter() {
  for (let rejected = false; ; rejected = true) {
    const token = await ask(rejected);
    declined = token === "";
    if (declined) return false;
    const response = await fetch("session", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
    if (response.ok) {
      sessions += 1;
      return true;
    }
  }
}

/** @param {boolean} rejected @returns {Promise<string>} Empty: none. */
function ask(rejected) {
  const dialog = byId("token-dialog");
  const input = byId("token");
  byId("token-rejected").hidden = !rejected;
  input.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  byId("token-cancel").onclick = () => dialog.close("");
  return new Promise((resolve) => {
    const close = () => {
      const token = dialog.returnValue === "yes" ? input.value.trim() : "";
      input.value = "";
      resolve(token);
    };
    dialog.addEventListener("close", close, { once: true });
  });
}
