/**
 * The panel of documents: what is indexed, what is being read, what could not be read and why. It shows what
 * `GET /documents` says; it changes nothing but on the reader's word.
 */

import { forgetDocument, getDocuments, openWithToken, originalUrl } from "./api.js";
import { byId, dismissButton, element, icon, keepingFocus, problem } from "./dom.js";
import { failedRow, forgottenList, isForgotten, isRetrying, retryButton } from "./failures.js";
import { activeFilters, isActive, onFilters, onlyFilter, setFilters } from "./filters.js";
import { formatBytes, formatDate, formatNumber, languageTag, onLanguageChange } from "./i18n.js";
import { say, sayAttribute, words } from "./i18n.js";
import { currentToken } from "./token.js";
import { openViewer } from "./viewer.js";

const SHOWN_AT_FIRST = 200;
const PENDING_SHOWN = 5;
const TYPES_NAMED = 6;

let library = null;
let status = null;
let limit = SHOWN_AT_FIRST;
let shownState = "";
let onRetry = () => {};
let onOnly = () => {};
const listeners = [];

/**
 * Connects the panel.
 *
 * @param {() => void} retryListener Called when failed files are tried again, and when that is over.
 * @param {() => void} onlyListener Called when one document alone is to answer.
 */
export function startDocuments(retryListener, onlyListener) {
  onRetry = retryListener;
  onOnly = onlyListener;
  byId("documents-filter").addEventListener("input", () => {
    limit = SHOWN_AT_FIRST;
    render();
  });
  onLanguageChange(render);
  onFilters(render);
}

/** Calls back with each new list of documents. */
export function onDocuments(listener) {
  listeners.push(listener);
}

/** The documents that are known at the moment. */
export function knownDocuments() {
  return library?.documents ?? [];
}

/** Takes the service's status: which folders there are, and which file is being read. */
export function showCurrent(newStatus) {
  status = newStatus;
  render();
}

/** Fetches the list again and shows it. */
export async function reloadDocuments() {
  try {
    library = await getDocuments();
  } catch (error) {
    // The notices above the conversation say so already.
    if (error.code !== "unreachable" && error.code !== "unauthorized") showMessage(problem(error));
    return;
  }
  render();
  for (const listener of listeners) listener(library);
}

function render() {
  if (library === null) return;
  const filter = byId("documents-filter").value.trim().toLowerCase();
  // A list that is made again while a button in it is held down loses the click.
  const { index, folders, unsupported = {} } = status ?? {};
  const settings = [filter, limit, isRetrying(), languageTag(), activeFilters()];
  const state = JSON.stringify([library, index?.current, folders, unsupported, ...settings]);
  if (state === shownState) return;
  shownState = state;
  const { documents, failures, pending } = library;
  const matches = (...texts) => texts.some((text) => text.toLowerCase().includes(filter));
  const found = documents.filter((each) => matches(each.title, each.source, ...each.tags));
  const unread = failures.filter((each) => matches(each.source, each.reason));
  const failed = unread.filter((each) => !isForgotten(each));
  const forgotten = unread.filter(isForgotten);
  const waiting = pending.filter((source) => matches(source));
  byId("documents-count").textContent = documents.length ? String(documents.length) : "";
  byId("documents-toggle-count").textContent = String(documents.length);
  byId("documents-filter").hidden = documents.length + failures.length < 2;
  const isEmpty = documents.length + failures.length + pending.length === 0;
  say(byId("intro-text"), isEmpty ? "intro.empty" : "intro.text");
  const nothing = found.length + unread.length + waiting.length === 0;
  const shown = found.toSorted(compareNewest).slice(0, limit);
  keepingFocus(() =>
    byId("documents-list").replaceChildren(
      ...(isEmpty ? [emptyLibrary()] : []),
      ...(nothing && !isEmpty ? [say(element("p", { class: "muted" }), "documents.none", { filter })] : []),
      ...group("pending", waiting, pendingRows(waiting)),
      ...group("failed", failed, failed.map(failedRow), retryButton(changeRetry)),
      ...group("indexed", found, shown.map(indexedRow)),
      ...(found.length > limit ? [moreButton(found.length - limit)] : []),
      ...[forgottenList(forgotten, isForgottenOpen()), filter ? null : unsupportedLine(unsupported)].filter(Boolean),
    ),
  );
}

const compareNewest = (one, other) => (one.modified < other.modified ? 1 : one.modified > other.modified ? -1 : 0);

function group(state, found, rows, action = null) {
  if (found.length === 0) return [];
  const title = say(element("h3"), `documents.group.${state}`, { n: found.length });
  const head = element("div", { class: "group-head" }, title, action);
  return [element("section", { "data-group": state }, head, element("ul", {}, ...rows))];
}

function isForgottenOpen() {
  return byId("documents-list").querySelector(".forgotten")?.open ?? false;
}

/** Says which files nobody can read here; that is no error. */
function unsupportedLine(unsupported) {
  const types = Object.entries(unsupported).sort(([, one], [, other]) => other - one);
  if (types.length === 0) return null;
  const nameOf = ([type, n]) => `${formatNumber(n)} ${type || words("documents.untyped")}`;
  const named = types.slice(0, TYPES_NAMED).map(nameOf);
  const others = types.slice(TYPES_NAMED).reduce((sum, [, n]) => sum + n, 0);
  if (others) named.push(words("documents.unsupported.others", { n: formatNumber(others) }));
  const list = named.join(words("documents.unsupported.separator"));
  return element("p", { class: "meta unsupported" }, words("documents.unsupported", { list }));
}

function changeRetry(error) {
  if (error) showMessage(problem(error));
  render();
  onRetry();
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

function moreButton(n) {
  const more = () => {
    limit = Infinity;
    render();
  };
  return say(element("button", { type: "button", class: "more", click: more }), "documents.more", { n });
}

/** The first files that wait; of a long queue, the bar above tells more. */
function pendingRows(waiting) {
  const rows = waiting.slice(0, PENDING_SHOWN).map(pendingRow);
  const n = waiting.length - rows.length;
  return n ? [...rows, say(element("li", { class: "meta others" }), "documents.waiting.others", { n })] : rows;
}

function pendingRow(source) {
  const isCurrent = source === status?.index.current;
  return element(
    "li",
    { class: "document", "data-state": "pending", "data-source": source },
    element("p", { class: "document-title" }, source),
    say(element("p", { class: "meta" }), isCurrent ? "documents.current" : "documents.queued"),
  );
}

function indexedRow(entry) {
  const { id, root, source, title, tags } = entry;
  const control = (name, onClick) => ({ type: "button", "data-focus": `${name} ${id}`, click: onClick });
  const view = element("button", { ...control("view", () => show(entry)), class: "document-title" }, title);
  const forget = element("button", { ...control("forget", () => askToForget(entry)), class: "quiet" }, icon("delete"));
  const isOnly = isActive(onlyFilter(entry));
  const only = element("button", { ...control("only", () => askOnly(entry)), class: "quiet" }, icon("filter"));
  only.setAttribute("aria-pressed", String(isOnly));
  sayAttribute(only, "aria-label", "documents.only", { title });
  only.title = words("documents.only", { title });
  sayAttribute(view, "title", "documents.view", { title });
  sayAttribute(forget, "aria-label", "documents.forget.label", { title });
  return element(
    "li",
    { class: "document", "data-state": "indexed", "data-document": id, "data-source": source },
    view,
    element("p", { class: "source", title: `${root}/${source}` }, source),
    element("p", { class: "meta" }, metaLine(entry)),
    tags.length ? element("p", { class: "tags" }, ...tags.map((tag) => element("span", { class: "tag" }, tag))) : null,
    element("div", { class: "actions" }, only, originalLink(entry), forget),
  );
}

/** Lets a document alone answer; all documents, if it is alone already. */
function askOnly(entry) {
  const filter = onlyFilter(entry);
  const isOnly = isActive(filter);
  setFilters(isOnly ? [] : [filter]);
  if (!isOnly) onOnly();
}

function metaLine({ page_count, date, modified, size_bytes }) {
  const pages = page_count ? words("documents.pages", { n: page_count }) : null;
  return [pages, formatDate(date ?? modified), formatBytes(size_bytes)].filter(Boolean).join(" · ");
}

function originalLink(entry) {
  const href = originalUrl(entry);
  const open = async (event) => {
    if (!currentToken()) return;
    event.preventDefault();
    try {
      await openWithToken(href);
    } catch (error) {
      showMessage(problem(error));
    }
  };
  const attributes = { href, target: "_blank", rel: "noopener", class: "quiet", "data-focus": `original ${entry.id}` };
  const link = element("a", { ...attributes, click: open }, icon("open"));
  return sayAttribute(link, "aria-label", "documents.original", { title: entry.title });
}

function show({ id, title, source, url }) {
  openViewer([{ document_id: id, title, source, url, start: 0, end: 0 }], 0);
}

function askToForget(entry) {
  const dialog = byId("confirm");
  say(byId("confirm-title"), "documents.forget.title", { title: entry.title });
  say(byId("confirm-text"), "documents.forget.text", { source: entry.source });
  dialog.returnValue = "";
  dialog.showModal();
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && forget(entry), { once: true });
}

async function forget({ id, title }) {
  try {
    await forgetDocument(id);
    showMessage(say(element("p", { class: "note" }), "documents.forgotten", { title }));
  } catch (error) {
    showMessage(problem(error));
  }
  await reloadDocuments();
}

/** Shows a message at the top of the panel until it is dismissed or the next one comes. */
export function showMessage(node) {
  const message = element("div", { class: "message" }, node, dismissButton(() => message.remove()));
  byId("documents-message").replaceChildren(message);
  message.scrollIntoView({ block: "nearest" });
}
