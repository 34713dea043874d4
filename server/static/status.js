/**
 * How the service is doing, as it said last: shown as a chip with a panel behind it, and as notices where something
 * stands in the way.
 */

/** @import { Folder, Model, Problem, Progress, Status, WireError } from "./types.js" */
/** @typedef {[name: string, origin: unknown, make: () => HTMLElement]} Wanted A node, and what it is made from. */

import { reconnect } from "./changes.js";
import { announce, byId, dismissButton, element, problem } from "./dom.js";
import { formatBytes, formatDate, languageTag, onLanguageChange, say, store, stored, words } from "./i18n.js";
import { currentSession, renewSession } from "./token.js";

const DISMISSED_KEY = "r1-kb-dismissed-note";
const DEGRADED_KEY = "r1-kb-dismissed-degraded";

/** What each shown node was made from. @type {WeakMap<Element, string>} */
const origins = new WeakMap();

/** @type {Status|null} */
let status = null;
/** @type {Problem|null} */
let failure = null;

/** Shows the status again in the other language. */
export function startStatus() {
  onLanguageChange(render);
}

/** Shows a new status. @param {Status} newStatus */
export function showStatus(newStatus) {
  status = newStatus;
  failure = null;
  render();
}

/** Shows why there is no status. @param {Problem} newFailure */
export function showFailure(newFailure) {
  failure = newFailure;
  render();
}

function render() {
  renderChip();
  keep(byId("notices"), notices());
  const shown = status;
  if (shown) keep(byId("status-panel"), [["panel", shown, () => panel(shown)]]);
}

function renderChip() {
  const button = byId("status-button");
  const text = byId("status-text");
  const model = status?.models.answer;
  button.dataset.state = failure ? "failed" : (model?.state ?? "loading");
  if (failure) say(text, failure.code === "unauthorized" ? "status.unauthorized" : "status.unreachable");
  else if (model === undefined) say(text, "status.connecting");
  else if (!model.name) say(text, "status.no_model");
  else say(text, "status.chip", { model: chipText(model) });
}

/** Each model that is set, with its role. @param {Status} status @returns {[string, Model][]} */
const modelsInUse = ({ models }) => Object.entries(models).filter(([, model]) => model);

/** @param {Model} model */
function chipText({ name, state, progress }) {
  if (state === "ready") return name;
  const part = progress?.total ? ` ${Math.floor((100 * progress.done) / progress.total)} %` : "";
  return `${name} · ${words(`status.state.${state}`)}${part}`;
}

/** The notices that are due: each with a name, what it is made from, and how. @returns {Wanted[]} */
function notices() {
  if (failure) return [["service", failure.code, serviceNotice(failure)]];
  if (!status) return [];
  const { index, models, folders } = status;
  /** @type {Wanted[]} */
  const due = modelsInUse(status)
    .filter(([, model]) => model.state !== "ready")
    .map(([role, model]) => [role, model, () => modelNotice(role, model)]);
  const { note } = models.answer;
  if (note && stored(DISMISSED_KEY) !== note) due.push(["note", note, () => noteNotice(DISMISSED_KEY, note)]);
  const { error } = index;
  if (error && !isSaidAlready(status, error)) due.push(["index", error, () => indexNotice(error)]);
  if (index.degraded && !stored(DEGRADED_KEY)) due.push(["degraded", true, degradedNotice]);
  for (const { path, reachable } of folders) {
    if (!reachable) due.push([`folder ${path}`, path, () => folderNotice(path)]);
  }
  return due;
}

/**
 * Shows named nodes; one that is made from the same as before stays, with its focus.
 *
 * @param {HTMLElement} parent
 * @param {Wanted[]} wanted
 */
function keep(parent, wanted) {
  const nodes = wanted.map(([name, from, make]) => {
    const origin = JSON.stringify([languageTag(), name, from]);
    const nodesNow = /** @type {HTMLElement[]} */ ([...parent.children]);
    const node = nodesNow.find((old) => origins.get(old) === origin) ?? make();
    origins.set(node, origin);
    node.dataset.notice = name;
    return node;
  });
  const isSame = nodes.length === parent.children.length && nodes.every((node, at) => parent.children[at] === node);
  if (!isSame) parent.replaceChildren(...nodes);
}

/** @param {string} tone @param {...Node} children */
const notice = (tone, ...children) => element("div", { class: `notice ${tone}` }, ...children);

/**
 * What keeps files from being indexed is often a model, which has a notice of its own.
 *
 * @param {Status} told
 * @param {WireError} error
 */
const isSaidAlready = (told, { message }) =>
  modelsInUse(told).some(([, { error }]) => error?.message === message);

/** @param {WireError} error */
const indexNotice = (error) => notice("problem-notice", say(element("p"), "status.index.error"), problem(error));

const degradedNotice = () => noteNotice(DEGRADED_KEY, words("status.degraded.text"));

/** @param {string} path */
const folderNotice = (path) => notice("warning", say(element("p"), "status.folder.unreachable", { path }));

/** @param {Problem} problem @returns {() => HTMLElement} */
const serviceNotice = ({ code }) => () => {
  const kind = code === "unauthorized" ? "unauthorized" : "unreachable";
  announce(words(`status.${kind}.text`));
  const box = notice("problem-notice", say(element("p"), `status.${kind}.text`));
  if (kind === "unauthorized") {
    const enter = async () => (await renewSession(currentSession(), false)) && reconnect();
    box.append(say(element("button", { type: "button", class: "secondary", click: enter }), "status.enter_token"));
  }
  return box;
};

/** @param {string} role @param {Model} model */
function modelNotice(role, { state, name, note, progress, error }) {
  const model = name || words(`status.model.${role}`);
  const text = say(element("p"), `status.notice.${state}`, { model });
  const box = notice(state === "failed" ? "problem-notice" : "", text);
  if (progress) box.append(progressLine(progress));
  if (error) box.append(problem(error));
  if (role === "reranker") box.append(say(element("p", { class: "muted" }), "status.reranker.without"));
  if (state === "failed") announce(words("status.notice.failed", { model }));
  else if (note && role === "embedding") box.append(element("p", { class: "muted" }, note));
  return box;
}

/** @param {Progress} progress */
function progressLine({ label, done, total, unit }) {
  /** @param {number} value */
  const amount = (value) => (unit === "bytes" ? formatBytes(value) : String(value));
  const bar = element("progress", { max: total, value: total ? done : null, "aria-label": label });
  const numbers = total ? words("status.progress", { done: amount(done), total: amount(total) }) : amount(done);
  return element("div", { class: "progress" }, bar, element("p", { class: "meta" }, `${label} · ${numbers}`));
}

/** @param {string} key @param {string} note */
function noteNotice(key, note) {
  const dismiss = () => {
    store(key, note);
    render();
  };
  return notice("note-notice", element("p", {}, note), dismissButton(dismiss));
}

/** @param {Status} told */
function panel(told) {
  const { version, documents, chunks, folders, index } = told;
  const sync = index.last_sync && words("status.index.sync", { time: formatDate(index.last_sync, true) });
  /** @param {Folder} folder */
  const folderLine = ({ path, reachable }) => (reachable ? path : `${path} (${words("status.folder.gone")})`);
  return element(
    "div",
    {},
    ...modelsInUse(told).map(([role, model]) => modelSection(role, model)),
    section(
      "status.index",
      words("status.index.counts", { documents, chunks }),
      index.pending ? words("status.index.pending", { n: index.pending }) : null,
      index.pages_to_scan ? words("status.index.pictures", { n: index.pages_to_scan }) : null,
      index.failed ? words("status.index.failed", { n: index.failed }) : null,
      sync,
      index.degraded ? words("status.degraded.text") : null,
    ),
    section("status.folders", ...folders.map(folderLine)),
    say(element("p", { class: "meta" }), "status.version", { version }),
  );
}

/** @param {string} role @param {Model} model */
function modelSection(role, { name, state, note, reasons, context_tokens, device, host }) {
  const abilities = [
    words(`status.state.${state}`),
    host ? words(role === "embedding" ? "status.host.embedding" : "status.host", { host }) : device,
    context_tokens && role === "answer" ? words("status.context", { n: context_tokens }) : null,
    reasons ? words("status.reasons") : null,
  ];
  return section(`status.model.${role}`, name, abilities.filter(Boolean).join(" · "), note);
}

/** @param {string} title @param {...(string|null|false)} lines */
function section(title, ...lines) {
  const texts = lines.flatMap((line) => (line ? [element("p", {}, line)] : []));
  return element("section", {}, say(element("h3"), title), ...texts);
}
