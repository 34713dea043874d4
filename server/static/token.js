/**
 * The token that a service may ask for: kept until the tab is closed, asked for in a dialog. However many requests are
 * refused at once, there is one dialog; a reader who cancels it is not asked again by requests in the background.
 */

import { byId } from "./dom.js";

const STORAGE_KEY = "r1-kb-token";
/** @type {Promise<boolean>|null} */
let asking = null;
let declined = false;

/** The current token, or null. */
export function currentToken() {
  return sessionStorage.getItem(STORAGE_KEY);
}

/**
 * Gets another token than the one that was refused.
 *
 * @param {string|null} refused The token that the refused request carried.
 * @param {boolean} background Whether nobody is waiting for the request.
 * @returns {Promise<boolean>} Whether there is one to try.
 */
export function renewToken(refused, background) {
  if (currentToken() !== refused) return Promise.resolve(true);
  if (background && declined) return Promise.resolve(false);
  asking ??= showDialog(refused !== null).finally(() => (asking = null));
  return asking;
}

/** @param {boolean} rejected @returns {Promise<boolean>} */
function showDialog(rejected) {
  const dialog = byId("token-dialog");
  const input = byId("token");
  byId("token-rejected").hidden = !rejected;
  input.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  byId("token-cancel").onclick = () => dialog.close("");
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        const token = dialog.returnValue === "yes" ? input.value.trim() : "";
        declined = token === "";
        if (token) sessionStorage.setItem(STORAGE_KEY, token);
        resolve(token !== "");
      },
      { once: true },
    );
  });
}
