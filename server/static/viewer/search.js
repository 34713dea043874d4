/** Searching inside the document that the viewer shows. Finds places; showing them is the viewer's. */

/** @import { Match } from "../types.js" */

import { isAbort } from "../api.js";
import { announce, byId } from "../dom.js";
import { say, words } from "../i18n.js";
import { searchInside } from "./api.js";

const WAIT_MS = 200;

/** @type {Match[]} */
let matches = [];
let total = 0;
let at = -1;
let timer = 0;
/** @type {AbortController|null} */
let searching = null;

/**
 * Connects the field and its buttons.
 *
 * @param {() => string} documentId The document that is shown.
 * @param {(match: Match) => void} onMatch Hears which place is to be shown.
 */
export function startSearch(documentId, onMatch) {
  const field = byId("viewer-search");
  /** @param {number} by */
  const step = (by) => {
    if (!matches.length) return;
    at = (at + by + matches.length) % matches.length;
    tell();
    onMatch(matches[at]);
  };
  const search = async () => {
    searching?.abort();
    searching = new AbortController();
    const text = field.value.trim();
    try {
      const found = text ? await searchInside(documentId(), text, searching.signal) : { matches: [], total: 0 };
      [matches, total, at] = [found.matches, found.total, -1];
    } catch (error) {
      if (isAbort(error)) return;
      [matches, total, at] = [[], 0, -1];
    }
    step(1);
    tell();
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, WAIT_MS);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    step(event.shiftKey ? -1 : 1);
  });
  byId("viewer-search-next").addEventListener("click", () => step(1));
  byId("viewer-search-previous").addEventListener("click", () => step(-1));
}

/** Empties the field, for another document. */
export function clearSearch() {
  clearTimeout(timer);
  searching?.abort();
  byId("viewer-search").value = "";
  [matches, total, at] = [[], 0, -1];
  tell();
}

function tell() {
  const count = byId("viewer-search-count");
  const isEmpty = !byId("viewer-search").value.trim();
  const key = total ? "viewer.search.position" : "viewer.search.none";
  const values = { position: at + 1, total };
  say(count, key, values);
  count.hidden = isEmpty;
  if (!isEmpty) announce(words(key, values));
  byId("viewer-search-next").disabled = byId("viewer-search-previous").disabled = matches.length === 0;
}
