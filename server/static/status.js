/**
 * How the service is doing: asked for every 2 s while something is in motion, else every 10 s, and not while the page
 * is in the background. Shown as a chip with a panel behind it, and as notices where something stands in the way.
 */

import { getStatus } from "./api.js";
import { announce, byId, dismissButton, element, problem } from "./dom.js";
import { formatBytes, formatDate, languageTag, onLanguageChange, say, store, stored, words } from "./i18n.js";
import { currentToken, renewToken } from "./token.js";
import { isWorking } from "./work.js";

const BUSY_MS = 2000;
const IDLE_MS = 10000;
const DISMISSED_KEY = "r1-kb-dismissed-note";
const DEGRADED_KEY = "r1-kb-dismissed-degraded";
const MOVING = ["downloading", "loading"];

/** What each shown node was made from. */
const origins = new WeakMap();

let status = null;
let failure = null;
let timer = null;
let onStatus = () => {};
let isFollowing = () => false;

/**
 * Starts asking.
 *
 * @param {(status: Object) => void} listener Gets each status that arrives.
 * @param {() => boolean} isWaiting Whether somebody else on the page waits for something to change.
 */
export function startStatus(listener, isWaiting) {
  onStatus = listener;
  isFollowing = isWaiting;
  onLanguageChange(render);
  document.addEventListener("visibilitychange", () => document.hidden || refreshStatus());
  refreshStatus();
}

/** Asks at once, and from then on in the usual rhythm. */
export async function refreshStatus() {
  clearTimeout(timer);
  try {
    status = await getStatus();
    failure = null;
  } catch (error) {
    failure = error;
  }
  render();
  if (failure === null) onStatus(status);
  clearTimeout(timer);
  timer = setTimeout(() => document.hidden || refreshStatus(), isInMotion() ? BUSY_MS : IDLE_MS);
}

function isInMotion() {
  if (failure) return failure.code !== "unauthorized";
  const { index, ready } = status;
  const moves = modelsInUse().some(([, { state }]) => MOVING.includes(state));
  return moves || !ready || index.pending > 0 || index.current !== null || isWorking(index) || isFollowing();
}

function render() {
  renderChip();
  keep(byId("notices"), notices());
  if (status) keep(byId("status-panel"), [["panel", status, () => panel(status)]]);
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

/** Each model that is set, with its role. */
const modelsInUse = () => Object.entries(status.models).filter(([, model]) => model);

function chipText({ name, state, progress }) {
  if (state === "ready") return name;
  const part = progress?.total ? ` ${Math.floor((100 * progress.done) / progress.total)} %` : "";
  return `${name} · ${words(`status.state.${state}`)}${part}`;
}

/** The notices that are due: each with a name, what it is made from, and how. */
function notices() {
  if (failure) return [["service", failure.code, serviceNotice]];
  if (!status) return [];
  const { index, models, folders } = status;
  const due = modelsInUse()
    .filter(([, model]) => model.state !== "ready")
    .map(([role, model]) => [role, model, () => modelNotice(role, model)]);
  const { note } = models.answer;
  if (note && stored(DISMISSED_KEY) !== note) due.push(["note", note, () => noteNotice(DISMISSED_KEY, note)]);
  if (index.error && !isSaidAlready(index.error)) due.push(["index", index.error, () => indexNotice(index.error)]);
  if (index.degraded && !stored(DEGRADED_KEY)) due.push(["degraded", true, degradedNotice]);
  const gone = folders.filter(({ reachable }) => !reachable);
  return [...due, ...gone.map(({ path }) => [`folder ${path}`, path, () => folderNotice(path)])];
}

/** Shows named nodes; one that is made from the same as before stays, with its focus. */
function keep(parent, wanted) {
  const nodes = wanted.map(([name, from, make]) => {
    const origin = JSON.stringify([languageTag(), name, from]);
    const node = [...parent.children].find((old) => origins.get(old) === origin) ?? make();
    origins.set(node, origin);
    node.dataset.notice = name;
    return node;
  });
  const isSame = nodes.length === parent.children.length && nodes.every((node, at) => parent.children[at] === node);
  if (!isSame) parent.replaceChildren(...nodes);
}

const notice = (tone, ...children) => element("div", { class: `notice ${tone}` }, ...children);

/** What keeps files from being indexed is often a model, which has a notice of its own. */
const isSaidAlready = ({ message }) => modelsInUse().some(([, { error }]) => error?.message === message);

const indexNotice = (error) => notice("problem-notice", say(element("p"), "status.index.error"), problem(error));

const degradedNotice = () => noteNotice(DEGRADED_KEY, words("status.degraded.text"));

const folderNotice = (path) => notice("warning", say(element("p"), "status.folder.unreachable", { path }));

function serviceNotice() {
  const kind = failure.code === "unauthorized" ? "unauthorized" : "unreachable";
  announce(words(`status.${kind}.text`));
  const box = notice("problem-notice", say(element("p"), `status.${kind}.text`));
  if (kind === "unauthorized") {
    const enter = async () => (await renewToken(currentToken(), false)) && refreshStatus();
    box.append(say(element("button", { type: "button", class: "secondary", click: enter }), "status.enter_token"));
  }
  return box;
}

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

function progressLine({ label, done, total, unit }) {
  const amount = (value) => (unit === "bytes" ? formatBytes(value) : String(value));
  const bar = element("progress", { max: total, value: total ? done : null, "aria-label": label });
  const numbers = total ? words("status.progress", { done: amount(done), total: amount(total) }) : amount(done);
  return element("div", { class: "progress" }, bar, element("p", { class: "meta" }, `${label} · ${numbers}`));
}

function noteNotice(key, note) {
  const dismiss = () => {
    store(key, note);
    render();
  };
  return notice("note-notice", element("p", {}, note), dismissButton(dismiss));
}

function panel({ version, documents, chunks, folders, index }) {
  const sync = index.last_sync && words("status.index.sync", { time: formatDate(index.last_sync, true) });
  const folderLine = ({ path, reachable }) => (reachable ? path : `${path} (${words("status.folder.gone")})`);
  return element(
    "div",
    {},
    ...modelsInUse().map(([role, model]) => modelSection(role, model)),
    section(
      "status.index",
      words("status.index.counts", { documents, chunks }),
      index.pending ? words("status.index.pending", { n: index.pending }) : null,
      index.failed ? words("status.index.failed", { n: index.failed }) : null,
      sync,
      index.degraded ? words("status.degraded.text") : null,
    ),
    section("status.folders", ...folders.map(folderLine)),
    say(element("p", { class: "meta" }), "status.version", { version }),
  );
}

function modelSection(role, { name, state, note, reasons, context_tokens, device }) {
  const abilities = [
    words(`status.state.${state}`),
    device,
    context_tokens && role === "answer" ? words("status.context", { n: context_tokens }) : null,
    reasons ? words("status.reasons") : null,
  ];
  return section(`status.model.${role}`, name, abilities.filter(Boolean).join(" · "), note);
}

function section(title, ...lines) {
  const texts = lines.filter(Boolean).map((line) => element("p", {}, line));
  return element("section", {}, say(element("h3"), title), ...texts);
}
