/**
 * The viewer: a citation or passage in its place in the document, on the page itself where there are pages. Beside the
 * conversation where there is room, over it where there is not. A document that changed since it was quoted is said to
 * have changed; nothing is marked that is not the quote.
 */

/** @import { Match, Shown, Target, View } from "../types.js" */

import { asProblem, isAbort, originalUrl } from "../api.js";
import { WIDE, byId, element, place, problem } from "../dom.js";
import { say } from "../i18n.js";
import { showLinks } from "./linked.js";
import { MarkdownView } from "./markdown-view.js";
import { PageView } from "./page-view.js";
import { findPlace, quoteOf } from "./place.js";
import { clearSearch, startSearch } from "./search.js";
import { choose, showTabs, startTabs } from "./tabs.js";
import { TextView } from "./text-view.js";
import { followPage, showPages, startPageTools } from "./page-tools.js";

/** @type {Shown[]} */
let items = [];
let position = 0;
/** @type {AbortController} */
let loading = new AbortController();
/** @type {Target|null} */
let target = null;
/** @type {Element|null} */
let returnTo = null;
/** @type {(item: any) => void} */
let onShow = () => {};
/** @type {View|null} */
let current = null;
/** @type {{pages: PageView, markdown: MarkdownView, text: TextView}} */
let views;

/**
 * Opens the viewer.
 *
 * @template {Shown} Item
 * @param {Item[]} newItems `start` and `end` (code points) are what is marked.
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
  const [viewer, body] = [byId("viewer"), byId("viewer-body")];
  views = { pages: new PageView(body, followPage), markdown: new MarkdownView(body), text: new TextView(body) };
  byId("viewer-close").addEventListener("click", closeViewer);
  byId("viewer-previous").addEventListener("click", () => step(-1));
  byId("viewer-next").addEventListener("click", () => step(1));
  startTabs(() => target && showTarget(target));
  startPageTools(views.pages);
  startSearch(() => items[position].document_id, showMatch);
  viewer.addEventListener("close", () => {
    loading.abort();
    onShow(null);
    current?.clear();
    [current, target] = [null, null];
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

async function showItem() {
  const item = items[position];
  onShow(item);
  if (item.document_id !== target?.document.id) {
    clearSearch();
    showLinks(item.document_id);
  }
  byId("viewer-title").textContent = item.title;
  byId("viewer-place").replaceChildren(element("span", { class: "source" }, item.source), ...place(item));
  showSupport(item);
  byId("viewer-steps").hidden = items.length < 2;
  byId("viewer-previous").disabled = position === 0;
  byId("viewer-next").disabled = position === items.length - 1;
  say(byId("viewer-position"), "viewer.position", { position: position + 1, total: items.length });
  byId("viewer-original").href = originalUrl(item);
  await load(item, async (signal) => {
    const found = await findPlace(item, signal);
    byId("viewer-changed").hidden = found.isThere;
    byId("viewer-changed").replaceChildren(...(found.isThere ? [] : quoteAlone(item)));
    showTabs(found.target.document.view);
    return found.target;
  });
}

/** @param {Match} match */
function showMatch({ start, end, page, text }) {
  if (target) showTarget({ ...target, start, end, page, quote: text });
}

/** @param {Target} wanted */
const showTarget = (wanted) => load(items[position], async () => wanted);

/**
 * Finds out what is to be shown and shows it, unless something else is wanted meanwhile.
 *
 * @param {Shown} item
 * @param {(signal: AbortSignal) => Promise<Target>} find
 */
async function load(item, find) {
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  const body = byId("viewer-body");
  body.setAttribute("aria-busy", "true");
  try {
    target = await find(signal);
    if (signal.aborted) return;
    await show(target, signal);
  } catch (error) {
    if (isAbort(error) || signal.aborted) return;
    current?.clear();
    body.replaceChildren(problem(asProblem(error)), ...quoteAlone(item, false));
  }
  if (!signal.aborted) body.removeAttribute("aria-busy");
}

/** @param {Target} wanted @param {AbortSignal} signal */
async function show(wanted, signal) {
  const kind = choose(wanted.document.view);
  const view = views[kind];
  if (current !== view) current?.clear();
  current = view;
  byId("viewer-body").dataset.view = kind;
  showPages(kind === "pages", wanted.document.id);
  await view.show(wanted, signal);
  showPages(kind === "pages", wanted.document.id);
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

/** @param {Shown} item */
function quoteAlone(item, hasChanged = true) {
  const quote = quoteOf(item);
  if (!quote) return [];
  const changed = hasChanged ? [say(element("p", { class: "note" }), "viewer.changed")] : [];
  return [...changed, element("blockquote", { class: "text" }, quote)];
}
