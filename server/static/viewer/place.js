/**
 * Where a quote stands in its document now: where it was, or else where it has moved to, or nowhere any more.
 */

/** @import { DocumentText, Shown, Target } from "../types.js" */

import { getText } from "../api.js";
import { unitIndex } from "../offsets.js";

const REACH_CHARS = 3000;

/** The words that an item quotes; none where it only names a document. @param {Shown} item */
export const quoteOf = (item) => ("quote" in item ? item.quote : "text" in item ? item.text : "");

/**
 * Looks up an item in the document as it is indexed now.
 *
 * @param {Shown} item
 * @param {AbortSignal} signal
 * @returns {Promise<{target: Target, isThere: boolean}>}
 */
export async function findPlace(item, signal) {
  const from = Math.max(0, item.start - REACH_CHARS);
  const slice = await getText(item.document_id, from, item.end + REACH_CHARS, signal);
  const quote = quoteOf(item);
  const start = quote ? startOf(quote, slice, item.start) : item.start;
  const isThere = start !== -1;
  const span = isThere ? { start, end: start + [...quote].length } : { start: 0, end: 0 };
  return { target: { document: slice, page: item.page ?? null, quote, ...span }, isThere };
}

/**
 * @param {string} quote
 * @param {DocumentText} slice
 * @param {number} start Where it was, in code points.
 */
function startOf(quote, slice, start) {
  const expected = unitIndex(slice.text, Math.max(0, start - slice.start));
  const unit = slice.text.startsWith(quote, expected) ? expected : slice.text.indexOf(quote);
  return unit === -1 ? -1 : slice.start + [...slice.text.slice(0, unit)].length;
}
