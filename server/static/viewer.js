/**
 * The viewer: a citation or passage in its place in the document, with the text around it. Beside the conversation
 * where there is room, over it where there is not. A document that changed since it was quoted is said to have changed;
 * nothing is highlighted that is not the quote.
 */

/** @import { DocumentText, Shown } from "./types.js" */

import { asProblem, getText, isAbort, openWithToken, originalUrl } from "./api.js";
import { WIDE, byId, element, place, problem } from "./dom.js";
import { say } from "./i18n.js";
import { unitIndex } from "./offsets.js";
import { currentToken } from "./token.js";

const FULL_WIDTH = /[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60]/g;
const FULL_WIDTH_AT_END = /[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60]$/;
const FULL_LINE = 0.8;

const CONTEXT_CHARS = 900;
const MORE_CHARS = 3000;

/** @type {Shown[]} */
let items = [];
let position = 0;
let span = { start: 0, end: 0 };
/** @type {AbortController|null} */
let loading = null;
/** @type {Element|null} */
let returnTo = null;
/** @type {(item: any) => void} */
let onShow = () => {};

/**
 * Opens the viewer.
 *
 * @template {Shown} Item
 * @param {Item[]} newItems `start` and `end` (code points) are what is highlighted.
 * @param {number} at Which of them first.
 * @param {(item: Item|null) => void} listener Hears what is shown, and null when the viewer closes.
 */
export function openViewer(newItems, at, listener = () => {}) {
  onShow(null);
  [items, position, onShow] = [newItems, at, listener];
  const viewer = byId("viewer");
  if (!viewer.open) {
    returnTo = document.activeElement;
    if (WIDE.matches) viewer.show();
    else viewer.showModal();
  }
  showItem();
  byId("viewer-title").focus();
}

/** Closes the viewer if it is open. */
export function closeViewer() {
  byId("viewer").close();
}

/** Connects the viewer's buttons. */
export function startViewer() {
  const viewer = byId("viewer");
  byId("viewer-close").addEventListener("click", closeViewer);
  byId("viewer-previous").addEventListener("click", () => step(-1));
  byId("viewer-next").addEventListener("click", () => step(1));
  byId("viewer-original").addEventListener("click", openOriginal);
  viewer.addEventListener("close", () => {
    loading?.abort();
    onShow(null);
    if (viewer.contains(document.activeElement) || document.activeElement === document.body) {
      if (returnTo instanceof HTMLElement) returnTo.focus();
    }
  });
  viewer.addEventListener("click", (event) => event.target === viewer && closeViewer());
  WIDE.addEventListener("change", closeViewer);
}

/** @param {number} by */
function step(by) {
  position += by;
  showItem();
}

function showItem() {
  const item = items[position];
  onShow(item);
  byId("viewer-title").textContent = item.title;
  byId("viewer-place").replaceChildren(element("span", { class: "source" }, item.source), ...place(item));
  showSupport(item);
  byId("viewer-steps").hidden = items.length < 2;
  byId("viewer-previous").disabled = position === 0;
  byId("viewer-next").disabled = position === items.length - 1;
  say(byId("viewer-position"), "viewer.position", { position: position + 1, total: items.length });
  byId("viewer-original").href = originalUrl(item);
  const around = item.end > item.start ? CONTEXT_CHARS : MORE_CHARS;
  span = { start: Math.max(0, item.start - around), end: item.end + around };
  loadText(item, () => centre(byId("viewer-body")));
}

/** @param {Shown} item */
function showSupport(item) {
  const line = byId("viewer-support");
  line.hidden = !("verdict" in item);
  if (!("verdict" in item)) return;
  const { number, verdict } = item;
  line.dataset.state = verdict;
  const support = say(element("span"), `citation.${verdict}`);
  line.replaceChildren(element("span", { class: "number" }, String(number)), support);
}

/** @param {Shown} item @param {() => void} arrange */
async function loadText(item, arrange) {
  loading?.abort();
  loading = new AbortController();
  const { signal } = loading;
  const body = byId("viewer-body");
  body.setAttribute("aria-busy", "true");
  try {
    const slice = await getText(item.document_id, span.start, span.end, signal);
    showText(body, item, slice);
    arrange();
  } catch (error) {
    if (isAbort(error)) return;
    body.replaceChildren(problem(asProblem(error)), ...quoteAlone(item));
  }
  body.removeAttribute("aria-busy");
}

/** @param {HTMLElement} body @param {Shown} item @param {DocumentText} slice */
function showText(body, item, slice) {
  span = { start: slice.start, end: slice.end };
  const quote = quoteOf(item);
  const from = findQuote(quote, slice, item.start);
  const isThere = from !== -1;
  const to = from + quote.length;
  const shown = slice.page_count ? flowed(slice.text) : slice.text;
  const text = isThere && quote
    ? [shown.slice(0, from), element("mark", {}, shown.slice(from, to)), shown.slice(to)]
    : [shown];
  body.replaceChildren(
    ...(isThere ? [] : [say(element("p", { class: "note" }), "viewer.changed"), ...quoteAlone(item)]),
    moreButton("viewer.earlier", slice.start > 0, () => extend(item, -1)),
    element("p", { class: "text" }, ...text),
    moreButton("viewer.later", slice.end < slice.text_chars, () => extend(item, 1)),
  );
}

/**
 * The text of pages for a narrower column: it runs on after lines that fill the page's width. Every character keeps its
 * offset, because a line break becomes a space or, after Chinese, a break that takes no room.
 *
 * @param {string} text
 */
function flowed(text) {
  /** @param {string} line */
  const width = (line) => line.length + (line.match(FULL_WIDTH)?.length ?? 0);
  const full = FULL_LINE * Math.max(...text.split("\n").map(width));
  return text.replace(/([^\n]+)\n(?=[^\n])/g, (lines, line) => {
    if (width(line) < full) return lines;
    return line + (FULL_WIDTH_AT_END.test(line) ? "\u200b" : " ");
  });
}

/**
 * Where a quote is in a stretch of the document: where it was, or else where it has moved to; -1 if it is gone.
 *
 * @param {string} quote
 * @param {DocumentText} slice
 * @param {number} start Where it was in the document, in code points.
 */
function findQuote(quote, slice, start) {
  const expected = unitIndex(slice.text, Math.max(0, start - slice.start));
  return slice.text.startsWith(quote, expected) ? expected : slice.text.indexOf(quote);
}

/** @param {Shown} item */
const quoteOf = (item) => ("quote" in item ? item.quote : "text" in item ? item.text : "");

/** @param {Shown} item */
function quoteAlone(item) {
  const quote = quoteOf(item);
  return quote ? [element("blockquote", { class: "text" }, quote)] : [];
}

/** @param {string} key @param {boolean} isNeeded @param {() => void} onClick */
function moreButton(key, isNeeded, onClick) {
  const button = say(element("button", { type: "button", class: "more", click: onClick }), key);
  button.hidden = !isNeeded;
  return button;
}

/**
 * Shows more of the document, before (-1) or after (1), and keeps what is being read where it is.
 *
 * @param {Shown} item
 * @param {number} direction
 */
function extend(item, direction) {
  const body = byId("viewer-body");
  const fromBottom = body.scrollHeight - body.scrollTop;
  const { scrollTop } = body;
  if (direction < 0) span.start = Math.max(0, span.start - MORE_CHARS);
  else span.end += MORE_CHARS;
  loadText(item, () => {
    body.scrollTop = direction < 0 ? body.scrollHeight - fromBottom : scrollTop;
    body.focus();
  });
}

/** @param {HTMLElement} body */
function centre(body) {
  const mark = body.querySelector("mark");
  if (!mark) {
    body.scrollTop = 0;
    return;
  }
  const offset = mark.getBoundingClientRect().top - body.getBoundingClientRect().top;
  body.scrollTop += offset - Math.max(24, (body.clientHeight - mark.getBoundingClientRect().height) / 3);
}

/** @param {Event} event */
async function openOriginal(event) {
  if (!currentToken()) return;
  event.preventDefault();
  try {
    await openWithToken(byId("viewer-original").href);
  } catch (error) {
    byId("viewer-body").prepend(problem(asProblem(error)));
  }
}

