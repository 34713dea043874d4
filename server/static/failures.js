/**
 * What the panel of documents says of files that are not indexed: those that could not be read, with the reason and the
 * next try, and those that the reader wanted out of the index, which are no errors.
 */

/** @import { Failure, Problem } from "./types.js" */

import { asProblem, retryFailures } from "./api.js";
import { element } from "./dom.js";
import { formatMoment, say, words } from "./i18n.js";

let retrying = false;

/** Whether failures are being tried again at the reader's word. */
export function isRetrying() {
  return retrying;
}

/** Whether somebody wanted this file out of the index. @param {Failure} failure */
export const isForgotten = ({ kind }) => kind === "forgotten";

/** The row of a file that could not be read. @param {Failure} failure */
export function failedRow({ root, source, reason, hint, kind, attempts, failed_at, next_try_at }) {
  const tried = words("documents.attempts", { n: attempts, time: formatMoment(failed_at) });
  return element(
    "li",
    { class: "document", "data-state": "failed", "data-source": source, title: `${root}/${source}` },
    element("p", { class: "document-title" }, source),
    element("p", { class: "reason" }, reason),
    hint ? element("p", { class: "hint" }, hint) : null,
    element("p", { class: "meta" }, tried),
    element("p", { class: "meta" }, nextTry(kind, next_try_at)),
  );
}

/** @param {Failure["kind"]} kind @param {string|null} nextTryAt */
function nextTry(kind, nextTryAt) {
  if (nextTryAt) return words("documents.next.at", { time: formatMoment(nextTryAt) });
  return words(kind === "quarantined" ? "documents.next.quarantined" : "documents.next.change");
}

/**
 * The button that has all failed files tried again.
 *
 * @param {(error: Problem|null) => void} onChange Called when it begins, and when it is over.
 */
export function retryButton(onChange) {
  const retry = async () => {
    retrying = true;
    onChange(null);
    /** @type {Problem|null} */
    let failure = null;
    try {
      await retryFailures();
    } catch (error) {
      failure = asProblem(error);
    }
    retrying = false;
    onChange(failure);
  };
  const attributes = { type: "button", class: "quiet retry", disabled: retrying, "data-focus": "retry", click: retry };
  return say(element("button", attributes), retrying ? "documents.retrying" : "documents.retry");
}

/**
 * The folded list of files that are kept out of the index, or null.
 *
 * @param {Failure[]} forgotten
 * @param {boolean} isOpen
 */
export function forgottenList(forgotten, isOpen) {
  if (forgotten.length === 0) return null;
  /** @param {Failure} failure */
  const row = ({ root, source, failed_at }) =>
    element(
      "li",
      { class: "forgotten-file", "data-source": source, title: `${root}/${source}` },
      element("span", {}, source),
      element("span", { class: "meta" }, formatMoment(failed_at)),
    );
  return element(
    "details",
    { class: "forgotten", open: isOpen },
    say(element("summary", { "data-focus": "forgotten" }), "documents.group.forgotten", { n: forgotten.length }),
    say(element("p", { class: "meta" }), "documents.group.forgotten.text"),
    element("ul", {}, ...forgotten.map(row)),
  );
}
