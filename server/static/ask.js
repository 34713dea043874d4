/**
 * The question box and the thread of turns above it. One question runs at a time; the stop button aborts its request,
 * which is how the service learns to stop. Earlier exchanges go along as history.
 */

/** @import { AskOptions, Conversation, Filter } from "./types.js" */

import { ServiceError, ask, asProblem, isAbort } from "./api.js";
import { goOnWith, keep } from "./conversations/keeping.js";
import { closePanels } from "./box-panel.js";
import { HAS_KEYBOARD, announce, byId, problem } from "./dom.js";
import { toWire } from "./filter-choices.js";
import { activeFilters, nameOf, onlyFilter, setFilters } from "./filters.js";
import { say, words } from "./i18n.js";
import { hasShortcut, onShortcut, takeOptions, thinkingOption } from "./options.js";
import { prepareWhileTyping } from "./preparing.js";
import { Turn } from "./turn.js";

const HISTORY_TURNS = 4;
const FOLLOW_PX = 60;

/** @type {Turn[]} */
let turns = [];
/** @type {AbortController|null} */
let running = null;

/** Connects the question box. */
export function startAsking() {
  const form = byId("ask-form");
  const question = byId("question");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(question);
  });
  question.addEventListener("keydown", (event) => {
    // Safari ends a composition before the key that ended it arrives, and then only the code 229 tells.
    const isComposing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || isComposing) return;
    event.preventDefault();
    submit(question);
  });
  question.addEventListener("input", () => fitHeight(question));
  prepareWhileTyping(question, (written) => (running ? null : bodyOf(written, activeFilters())));
  byId("stop").addEventListener("click", stopAsking);
  onShortcut(tellKeys);
  tellKeys();
  byId("new-conversation").addEventListener("click", clearThread);
}

/** Stops the question that is being answered, if there is one. */
export function stopAsking() {
  running?.abort();
}

/** @param {HTMLTextAreaElement} field */
function submit(field) {
  const question = field.value.trim();
  if (!question || running) return;
  field.value = "";
  fitHeight(field);
  closePanels();
  if (!HAS_KEYBOARD) field.blur();
  run(question, activeFilters(), takeOptions());
}

/** @param {string} question @param {Filter[]} filters @param {AskOptions} options */
async function run(question, filters, options) {
  const body = { ...bodyOf(question, filters), ...options };
  const askAll = filters.length ? () => widen(question, options) : null;
  /** @type {Turn} */
  const turn = new Turn(question, filters.map(nameOf), () => retry(turn, filters, options), askAll, (document) => {
    if (!running) run(question, [onlyFilter(document)], options);
  });
  addTurn(turn);
  running = new AbortController();
  showRunning();
  try {
    for await (const { name, data } of ask(body, running.signal)) following(turn, () => turn.take(name, data));
    if (!turn.isOver) throw new ServiceError({ code: "interrupted" });
  } catch (error) {
    // A connection that breaks after the last event takes nothing away.
    if (isAbort(error) && !turn.isOver) turn.cancel();
    else if (!turn.isOver) following(turn, () => turn.fail(asProblem(error)));
  }
  running = null;
  showRunning();
  if (turn.kept) keep(turn.kept, (error) => turn.node.append(problem(asProblem(error))));
}

/** Shows a conversation that was kept, in the place of the one that is shown. @param {Conversation} conversation */
export function showConversation({ id, turns: kept }) {
  clearThread();
  goOnWith(id);
  for (const each of kept) {
    const turn = new Turn(each.question, [], () => {}, null, () => {});
    turn.restore(each);
    addTurn(turn);
  }
  announce(words("conversations.opened", { n: kept.length }));
}

/** @param {string} question @param {Filter[]} filters */
function bodyOf(question, filters) {
  const history = turns.flatMap((turn) => turn.exchange ?? []).slice(-HISTORY_TURNS);
  return { question, history, filters: toWire(filters), ...thinkingOption() };
}

/** @param {Turn} turn @param {Filter[]} filters @param {AskOptions} options */
function retry(turn, filters, options) {
  if (running) return;
  turns = turns.filter((other) => other !== turn);
  turn.node.remove();
  run(turn.question, filters, options);
}

/** @param {string} question @param {AskOptions} options */
function widen(question, options) {
  if (running) return;
  setFilters([]);
  run(question, [], options);
}

/** @param {Turn} turn */
function addTurn(turn) {
  turns.push(turn);
  byId("main").removeAttribute("data-empty");
  byId("thread").append(turn.node);
  byId("new-conversation").hidden = false;
  turn.node.scrollIntoView({ block: "start" });
  announce(words("stage.searching", { seconds: 0 }));
}

function clearThread() {
  stopAsking();
  turns = [];
  goOnWith(null);
  setFilters([]);
  byId("thread").replaceChildren();
  byId("main").setAttribute("data-empty", "");
  byId("new-conversation").hidden = true;
  byId("question").focus();
}

function showRunning() {
  const hadFocus = byId("ask-form").contains(document.activeElement);
  byId("send").hidden = running !== null;
  byId("stop").hidden = running === null;
  tellKeys();
  if (hadFocus && HAS_KEYBOARD) byId("question").focus({ preventScroll: true });
}

function tellKeys() {
  say(byId("keys"), running ? "ask.keys.running" : hasShortcut() ? "ask.keys" : "ask.keys.plain");
}

/**
 * Does something that may make a turn longer, and keeps its end above the question box if it was there.
 *
 * @param {Turn} turn
 * @param {() => void} change
 */
function following(turn, change) {
  const hiddenPx = () =>
    turn.end.getBoundingClientRect().bottom - byId("ask-form").getBoundingClientRect().top;
  const wasInSight = hiddenPx() < FOLLOW_PX;
  change();
  if (wasInSight) byId("main").scrollTop += Math.max(0, hiddenPx());
}

/** @param {HTMLTextAreaElement} field */
function fitHeight(field) {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}
