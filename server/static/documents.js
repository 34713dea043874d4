/**
 * The panel of documents: what is indexed, what is being read, what could not be read and why. It changes nothing but
 * on the reader's word.
 */

/** @import { Document, Problem, Status } from "./types.js" */

import { asProblem, forgetDocument, originalUrl } from "./api.js";
import { byId, dismissButton, element, icon, keepingFocus, problem } from "./dom.js";
import { failedRow, forgottenList, isForgotten, isRetrying, retryButton } from "./failures.js";
import { activeFilters, isActive, onFilters, onlyFilter, setFilters } from "./filters.js";
import { formatBytes, formatDate, formatNumber, languageTag, onLanguageChange } from "./i18n.js";
import { say, sayAttribute, words } from "./i18n.js";
import { PAGE_SIZE, currentList, isComplete, onDocuments } from "./document-list.js";
import { reloadDocuments, startList, wantDocuments } from "./document-list.js";
import { openViewer } from "./viewer/viewer.js";

const PENDING_SHOWN = 5;
const TYPES_NAMED = 6;
const UNREAD_NAMED = 12;

/** @type {Status|null} */
let status = null;
let limit = PAGE_SIZE;
let shownState = "";
let onOnly = () => {};

/**
 * Connects the panel.
 *
 * @param {() => void} onlyListener Called when one document alone is to answer.
 */
export function startDocuments(onlyListener) {
  onOnly = onlyListener;
  byId("documents-filter").addEventListener("input", search);
  startList(showFailure);
  onDocuments(render);
  onLanguageChange(render);
  onFilters(render);
}

/** Takes the service's status: which folders there are, and which file is being read. @param {Status} newStatus */
export function showCurrent(newStatus) {
  status = newStatus;
  render();
}

/** Words may stand in any document, so that a search needs all of them. */
function search() {
  limit = PAGE_SIZE;
  wantDocuments("list", limit);
  wantDocuments("search", searchedFor() ? Infinity : 0);
  render();
}

const searchedFor = () => byId("documents-filter").value.trim().toLowerCase();

/** @param {Problem} failure */
function showFailure(failure) {
  // The notices above the conversation say so already.
  if (failure.code !== "unreachable" && failure.code !== "unauthorized") showMessage(problem(failure));
}

function render() {
  const listed = currentList();
  if (listed === null) return;
  const filter = searchedFor();
  // A list that is made again while a button in it is held down loses the click.
  const { index = null, folders = [], unsupported = {} } = status ?? {};
  const settings = [filter, limit, isRetrying(), languageTag(), activeFilters()];
  const state = JSON.stringify([listed, index?.current, folders, unsupported, ...settings]);
  if (state === shownState) return;
  shownState = state;
  const { documents, failures, pending, total } = listed;
  /** @param {...string} texts */
  const matches = (...texts) => texts.some((text) => text.toLowerCase().includes(filter));
  const found = documents.filter((each) => matches(each.title, each.source, ...each.tags));
  const unread = failures.filter((each) => matches(each.source, each.reason));
  const failed = unread.filter((each) => !isForgotten(each));
  const forgotten = unread.filter(isForgotten);
  const waiting = pending.filter((source) => matches(source));
  byId("documents-count").textContent = total ? String(total) : "";
  byId("documents-toggle-count").textContent = String(total);
  byId("documents-filter").hidden = total + failures.length < 2;
  const isEmpty = total + failures.length + pending.length === 0;
  say(byId("intro-text"), isEmpty ? "intro.empty" : "intro.text");
  const nothing = isComplete() && found.length + unread.length + waiting.length === 0;
  // Of a long list only some pages are known, in the order in which the service gives them.
  const ordered = total > PAGE_SIZE ? found : found.toSorted(compareNewest);
  const shown = ordered.slice(0, limit).map(indexedRow);
  const count = filter ? found.length : total;
  keepingFocus(() =>
    byId("documents-list").replaceChildren(
      ...(isEmpty ? [emptyLibrary()] : []),
      ...(nothing && !isEmpty ? [say(element("p", { class: "muted" }), "documents.none", { filter })] : []),
      ...group("pending", waiting.length, pendingRows(waiting)),
      ...group("failed", failed.length, failed.map(failedRow), retryButton(changeRetry)),
      ...group("indexed", count, shown),
      ...(count > shown.length ? [moreButton(count - shown.length)] : []),
      ...[forgottenList(forgotten, isForgottenOpen()), filter ? null : unsupportedLine(unsupported)].flatMap(
        (line) => line ?? [],
      ),
    ),
  );
}

/** @param {Document} one @param {Document} other */
const compareNewest = (one, other) => (one.modified < other.modified ? 1 : one.modified > other.modified ? -1 : 0);

/** @param {string} state @param {number} n @param {Node[]} rows @param {Node|null} action */
function group(state, n, rows, action = null) {
  if (n === 0) return [];
  const title = say(element("h3"), `documents.group.${state}`, { n });
  const head = element("div", { class: "group-head" }, title, action);
  return [element("section", { "data-group": state }, head, element("ul", {}, ...rows))];
}

function isForgottenOpen() {
  return byId("documents-list").querySelector(".forgotten[open]") !== null;
}

/** Says which files nobody can read here; that is no error. @param {Record<string, number>} unsupported */
function unsupportedLine(unsupported) {
  const types = Object.entries(unsupported).sort(([, one], [, other]) => other - one);
  if (types.length === 0) return null;
  /** @param {[type: string, n: number]} entry */
  const nameOf = ([type, n]) => `${formatNumber(n)} ${type || words("documents.untyped")}`;
  const named = types.slice(0, TYPES_NAMED).map(nameOf);
  const others = types.slice(TYPES_NAMED).reduce((sum, [, n]) => sum + n, 0);
  if (others) named.push(words("documents.unsupported.others", { n: formatNumber(others) }));
  const list = named.join(words("documents.unsupported.separator"));
  return element("p", { class: "meta unsupported" }, words("documents.unsupported", { list }));
}

/** @param {Problem|null} error */
function changeRetry(error) {
  if (error) showMessage(problem(error));
  render();
}

function emptyLibrary() {
  const folders = (status?.folders ?? []).map(({ path }) => element("li", {}, element("code", {}, path)));
  return element(
    "div",
    { class: "empty" },
    say(element("h3"), "documents.empty.title"),
    say(element("p"), "documents.empty.text"),
    element("ul", {}, ...folders),
  );
}

/** @param {number} n */
function moreButton(n) {
  const more = () => {
    limit += PAGE_SIZE;
    wantDocuments("list", limit);
    render();
  };
  const attributes = { type: "button", class: "more", "data-focus": "more", click: more };
  return say(element("button", attributes), "documents.more", { n });
}

/** The first files that wait; of a long queue, the bar above tells more. @param {string[]} waiting */
function pendingRows(waiting) {
  const rows = waiting.slice(0, PENDING_SHOWN).map(pendingRow);
  const n = waiting.length - rows.length;
  return n ? [...rows, say(element("li", { class: "meta others" }), "documents.waiting.others", { n })] : rows;
}

/** @param {string} source */
function pendingRow(source) {
  const isCurrent = source === status?.index.current;
  return element(
    "li",
    { class: "document", "data-state": "pending", "data-source": source },
    element("p", { class: "document-title" }, source),
    say(element("p", { class: "meta" }), isCurrent ? "documents.current" : "documents.queued"),
  );
}

/** @param {Document} entry */
function indexedRow(entry) {
  const { id, root, source, title, tags, unread_pages, ocr_pages } = entry;
  /** @param {string} name @param {() => void} onClick */
  const control = (name, onClick) => ({ type: "button", "data-focus": `${name} ${id}`, click: onClick });
  const view = element("button", { ...control("view", () => show(entry)), class: "document-title" }, title);
  const remove = element("button", { ...control("forget", () => askToForget(entry)), class: "quiet" }, icon("delete"));
  const isOnly = isActive(onlyFilter(entry));
  const only = element("button", { ...control("only", () => askOnly(entry)), class: "quiet" }, icon("filter"));
  only.setAttribute("aria-pressed", String(isOnly));
  sayAttribute(only, "aria-label", "documents.only", { title });
  only.title = words("documents.only", { title });
  sayAttribute(view, "title", "documents.view", { title });
  sayAttribute(remove, "aria-label", "documents.forget.label", { title });
  return element(
    "li",
    { class: "document", "data-state": "indexed", "data-document": id, "data-source": source },
    view,
    element("p", { class: "source", title: `${root}/${source}` }, source),
    element("p", { class: "meta" }, metaLine(entry)),
    unread_pages.length ? say(element("p", { class: "warning" }), "documents.unread", unreadOf(entry)) : null,
    ocr_pages.length ? say(element("p", { class: "meta" }), "documents.ocr", ocrOf(entry)) : null,
    tags.length ? element("p", { class: "tags" }, ...tags.map((tag) => element("span", { class: "tag" }, tag))) : null,
    element("div", { class: "actions" }, only, originalLink(entry), remove),
  );
}

/** Lets a document alone answer; all documents, if it is alone already. @param {Document} entry */
function askOnly(entry) {
  const filter = onlyFilter(entry);
  const isOnly = isActive(filter);
  setFilters(isOnly ? [] : [filter]);
  if (!isOnly) onOnly();
}

/** @param {Document} entry */
function metaLine({ page_count, date, modified, size_bytes }) {
  const pages = page_count ? words("documents.pages", { n: page_count }) : null;
  return [pages, formatDate(date ?? modified), formatBytes(size_bytes)].filter(Boolean).join(" · ");
}

/** @param {Document} entry */
function ocrOf({ ocr_pages, page_count }) {
  return { n: ocr_pages.length, total: page_count ?? 0 };
}

/** @param {Document} entry */
function unreadOf({ unread_pages, page_count }) {
  const more = unread_pages.length > UNREAD_NAMED ? ["…"] : [];
  const list = [...unread_pages.slice(0, UNREAD_NAMED), ...more].join(", ");
  return { n: unread_pages.length, total: page_count ?? 0, list };
}

/** @param {Document} entry */
function originalLink(entry) {
  const href = originalUrl({ ...entry, document_id: entry.id });
  const attributes = { href, target: "_blank", rel: "noopener", class: "quiet", "data-focus": `original ${entry.id}` };
  const link = element("a", attributes, icon("open"));
  return sayAttribute(link, "aria-label", "documents.original", { title: entry.title });
}

/** @param {Document} entry */
function show({ id, title, source, url }) {
  openViewer([{ document_id: id, title, source, url, start: 0, end: 0 }], 0);
}

/** @param {Document} entry */
function askToForget(entry) {
  const dialog = byId("confirm");
  say(byId("confirm-title"), "documents.forget.title", { title: entry.title });
  say(byId("confirm-text"), "documents.forget.text", { source: entry.source });
  dialog.returnValue = "";
  dialog.showModal();
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && forget(entry), { once: true });
}

/** @param {Document} entry */
async function forget({ id, title }) {
  try {
    await forgetDocument(id);
    showMessage(say(element("p", { class: "note" }), "documents.forgotten", { title }));
  } catch (error) {
    showMessage(problem(asProblem(error)));
  }
  await reloadDocuments();
}

/** Shows a message at the top of the panel until it is dismissed or the next one comes. @param {Node} node */
export function showMessage(node) {
  const message = element("div", { class: "message" }, node, dismissButton(() => message.remove()));
  byId("documents-message").replaceChildren(message);
  message.scrollIntoView({ block: "nearest" });
}
