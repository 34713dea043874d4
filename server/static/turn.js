/**
 * One question on the page and what comes back: passages, reasoning, answer with citation marks, and how it ended.
 * Takes the events of one stream in order; does not know how they arrive. Reasoning and answer have separate nodes.
 */

/** @import { Answer, AnswerEvents, Citation, IndexCounts, KeptTurn, LeftOut, Passage } from "./types.js" */
/** @import { Problem, Values } from "./types.js" */

import { AnswerView } from "./answer-view.js";
import { makeCopyButtons } from "./copy.js";
import { announce, element, problem } from "./dom.js";
import { showNone, showUnsupported } from "./endings.js";
import { formatSeconds, say, words } from "./i18n.js";
import { withoutSigns } from "./markdown.js";
import { unitIndex } from "./offsets.js";
import { keyOf, makeCard, makeMark, makeNumber } from "./turn-parts.js";
import { makeParts, markCurrent, markUnseen, timingsLine } from "./turn-parts.js";
import { openViewer } from "./viewer/viewer.js";

const TICK_MS = 500;
const STEPS = ["words", "leads", "part", "section", "passage", "numbers", "compose"];
const WAITING = ["searching", "queued", "reading", ...STEPS];

/** A question and its answer. `node` is to be put on the page. */
export class Turn {
  #answer = "";
  /** @type {Citation[]} */
  #citations = [];
  /** @type {Passage[]} */
  #passages = [];
  #place = 0;
  /** @type {AnswerEvents["step"]|null} */
  #step = null;
  /** @type {string|null} */
  #current = null;
  #state = "searching";
  #since = performance.now();
  #reasoningTouched = false;
  #parts;
  #view;
  #clock;

  /**
   * @param {string} question
   * @param {string[]} filters Names of the filters that it is asked with.
   * @param {() => void} onRetry Called when the reader wants to ask the same again after a failure.
   * @param {(() => void)|null} onAll Called when the reader wants to ask all documents; null where all were asked.
   * @param {import("./endings.js").OnChoose} onChoose Called when the reader says which document is meant.
   */
  constructor(question, filters, onRetry, onAll, onChoose) {
    this.question = question;
    this.model = "";
    this.onRetry = onRetry;
    this.onAll = onAll;
    this.onChoose = onChoose;
    this.#parts = makeParts(question, filters);
    const { node, answer, summary } = this.#parts;
    this.node = node;
    this.#view = new AnswerView(answer, (each) =>
      makeMark(each, keyOf(each) === this.#current, () => this.#openCitation(each)),
    );
    summary.addEventListener("click", () => (this.#reasoningTouched = true));
    this.#clock = setInterval(() => this.#tick(), TICK_MS);
    this.#enter("searching");
  }

  /** The last node of the turn, whose end is the end of all that has come. */
  get end() {
    return this.node.lastElementChild ?? this.node;
  }

  /** The exchange as later questions need it, or null when it has no answer. */
  get exchange() {
    return this.#state === "done" && this.#answer ? { question: this.question, answer: this.#answer } : null;
  }

  /** Whether the stream has come to its end. */
  get isOver() {
    return ["done", "none", "cancelled", "failed"].includes(this.#state);
  }

  /**
   * Takes one event of the stream.
   *
   * @param {keyof AnswerEvents} name
   * @param {any} data
   */
  take(name, data) {
    if (name === "waiting") this.#takePlace(data.place);
    if (name === "step") this.#takeStep(data);
    if (name === "passages") this.#takePassages(data.passages);
    if (name === "reasoning") this.#takeReasoning(data.text);
    if (name === "answer") this.#takeAnswer(data.text);
    if (name === "citation") this.#takeCitation(data);
    if (name === "done") this.#finish(data);
    if (name === "error") this.fail(data.error);
  }

  /** Ends the turn because the reader stopped it; what has arrived stays. */
  cancel() {
    this.#end("cancelled");
    this.#note("answer.cancelled");
    announce(words("answer.cancelled"));
    if (this.#answer) this.#addFooter();
  }

  /** The turn as it is kept, or null where there is nothing worth keeping. @returns {KeptTurn|null} */
  get kept() {
    const [{ question, model }, answer] = [this, this.#answer];
    return this.exchange && { question, answer, citations: this.#citations, model, finish_reason: "stop" };
  }

  /** Shows a turn that was kept, and what of it has changed since. @param {KeptTurn} kept */
  restore({ answer, citations, model }) {
    this.model = model;
    this.#answer = answer;
    this.#end("done");
    this.#takeCitations(citations);
    const changed = citations.filter(({ standing }) => standing !== "there").length;
    if (changed) this.#note("answer.citations_changed", { n: changed, total: citations.length }, "warning");
    this.#addFooter();
  }

  /** Ends the turn with an error, shown where the rest of the answer would be. @param {Problem} error */
  fail(error) {
    this.#end("failed");
    const retry = say(element("button", { type: "button", class: "secondary", click: this.onRetry }), "retry");
    this.#parts.ending.append(problem(error, retry));
  }

  /** @param {string} state */
  #enter(state) {
    this.#state = state;
    this.#since = performance.now();
    this.node.dataset.state = state;
    this.#tick();
  }

  #tick() {
    const { stage, summary } = this.#parts;
    const seconds = Math.floor((performance.now() - this.#since) / 1000);
    const isWaiting = WAITING.includes(this.#state);
    stage.hidden = !isWaiting;
    const { number = 0, of = 0, about = "" } = this.#step ?? {};
    const values = { which: of ? `${number}/${of}` : number, about, place: this.#place, n: this.#passages.length };
    if (isWaiting) say(stage, `stage.${this.#state}`, { ...values, seconds });
    if (this.#state === "thinking") say(summary, "reasoning.now", { seconds });
  }

  /** @param {Passage[]} passages */
  #takePassages(passages) {
    this.#passages = passages;
    this.#parts.passages.hidden = passages.length === 0;
    const cards = passages.map((passage, at) => makeCard(passage, () => openViewer(passages, at)));
    this.#parts.passageList.replaceChildren(...cards);
    announce(words("stage.announce.passages", { n: passages.length }));
    this.#enter("reading");
  }

  /** Shows how many questions come before this one. @param {number} place */
  #takePlace(place) {
    this.#place = place;
    if (!place) this.#enter("reading");
    else if (this.#state === "queued") this.#tick();
    else this.#enter("queued");
  }

  /** Says what is being done now. @param {AnswerEvents["step"]} step */
  #takeStep(step) {
    this.#endReasoning();
    const isNew = step.doing !== this.#step?.doing; // of forty sections, the first one is told to screen readers
    this.#step = step;
    this.#enter(step.doing);
    if (isNew) announce(this.#parts.stage.textContent ?? "");
  }

  /** @param {string} text */
  #takeReasoning(text) {
    const { reasoning, reasoningText } = this.#parts;
    if (this.#state !== "thinking") {
      this.#enter("thinking");
      reasoning.hidden = false;
      reasoning.open = true;
    }
    const follows = reasoningText.scrollHeight - reasoningText.scrollTop - reasoningText.clientHeight < 40;
    reasoningText.append(text);
    if (follows) reasoningText.scrollTop = reasoningText.scrollHeight;
  }

  #endReasoning() {
    const { reasoning, summary } = this.#parts;
    if (this.#state !== "thinking") return;
    say(summary, "reasoning.done", { seconds: formatSeconds(performance.now() - this.#since) });
    if (!this.#reasoningTouched) reasoning.open = false;
  }

  /** @param {string} text */
  #takeAnswer(text) {
    if (this.#state !== "answering") {
      this.#endReasoning();
      this.#enter("answering");
    }
    this.#answer += text;
    this.#view.update(this.#answer, this.#citations);
  }

  /**
   * Takes one more; where its stretch has been judged, what came of it before no longer counts.
   *
   * @param {Citation} citation
   */
  #takeCitation(citation) {
    /** @param {Citation} other */
    const isOutdated = (other) => other.answer_end === citation.answer_end && other.probability === null;
    const isJudged = citation.probability !== null;
    this.#takeCitations([...this.#citations.filter((other) => !isJudged || !isOutdated(other)), citation]);
  }

  /** @param {Citation[]} citations */
  #takeCitations(citations) {
    const seen = new Set();
    /** @param {Citation} citation */
    const isNew = (citation) => !seen.has(keyOf(citation)) && seen.add(keyOf(citation));
    this.#citations = citations.filter(isNew).sort((a, b) => a.answer_end - b.answer_end || a.number - b.number);
    this.#view.update(this.#answer, this.#citations);
    this.#passages.forEach((passage, at) => this.#showCitedBy(passage, this.#parts.passageList.children[at]));
  }

  /** @param {Answer} answer */
  #finish(answer) {
    const isNone = ["no_evidence", "choices"].includes(answer.finish_reason);
    const isUnsupported = answer.finish_reason === "unsupported";
    this.#end(isNone || isUnsupported ? "none" : "done");
    this.#parts.answer.hidden = isNone;
    if (isNone) showNone(this.#parts, answer, this.#passages.length > 0, this.onAll, this.onChoose);
    if (isUnsupported) {
      this.#answer = answer.draft;
      this.#takeCitations(answer.citations);
      showUnsupported(this.#parts);
    }
    this.#noteChangedFiles(answer.index);
    if (isNone || isUnsupported) return;
    this.model = answer.model;
    this.#answer = answer.answer;
    this.#takeCitations(answer.citations);
    if (!answer.answerable) this.#note("answer.empty", {}, "warning");
    if (answer.finish_reason === "length") this.#note("answer.length");
    if (answer.finish_reason === "cancelled") this.#note("answer.cancelled");
    if (answer.index.pending) this.#note("answer.pending", { n: answer.index.pending });
    this.#noteLeftOut(answer.left_out);
    if (answer.personal?.length) this.#note("answer.personal", { n: answer.personal.length }, "small");
    if (answer.instead) this.#note("answer.instead", { model: answer.model, reason: answer.instead }, "warning");
    this.#addFooter(answer);
    announce(withoutSigns(this.#answer));
  }

  /** @param {string} state */
  #end(state) {
    clearInterval(this.#clock);
    this.#endReasoning();
    this.#enter(state);
    this.#parts.answer.removeAttribute("aria-busy");
  }

  /**
   * Says which documents were read anew for this answer, and which were left out because they have changed.
   *
   * @param {IndexCounts} index
   */
  #noteChangedFiles({ refreshed = [], stale = [] }) {
    if (refreshed.length) this.#note("answer.refreshed", { sources: refreshed.join(", ") });
    if (stale.length) this.#note("answer.stale", { sources: stale.join(", ") }, "warning");
  }

  /** Says what the model did not see, and marks the passages among it. @param {LeftOut} leftOut */
  #noteLeftOut({ turns = 0, passages = [], instructions = 0, kept_here = 0 } = {}) {
    /** @type {NodeListOf<HTMLElement>} */
    const cards = this.#parts.passageList.querySelectorAll("[data-passage]");
    for (const card of cards) {
      if (passages.includes(Number(card.dataset.passage))) markUnseen(card);
    }
    if (turns || passages.length) this.#note("answer.no_room", { turns, passages: passages.length }, "small");
    if (instructions) this.#note("answer.kept_back", { n: instructions }, "small");
    if (kept_here) this.#note("answer.kept_here", { n: kept_here }, "small");
  }

  /** @param {string} key @param {Values} values @param {string} tone */
  #note(key, values = {}, tone = "") {
    this.#parts.ending.append(say(element("p", { class: `note ${tone}`.trim() }), key, values));
  }

  /** @param {Answer|null} answer */
  #addFooter(answer = null) {
    const copy = makeCopyButtons((write) => write(this.#answer, this.#citations));
    this.#parts.ending.append(element("footer", { class: "turn-foot" }, ...copy, answer && timingsLine(answer)));
  }

  /** @param {Passage} passage @param {Element} card */
  #showCitedBy(passage, card) {
    /** @param {Citation} citation */
    const overlaps = ({ document_id, start, end }) =>
      document_id === passage.document_id && start < passage.end && end > passage.start;
    const numbers = new Set(this.#citations.filter(overlaps).map((citation) => citation.number));
    card.querySelector(".cited-by")?.replaceChildren(...[...numbers].map(makeNumber));
  }

  /** @param {Citation} citation */
  #openCitation(citation) {
    const at = this.#citations.findIndex((other) => keyOf(other) === keyOf(citation));
    openViewer(this.#citations, at, (shown) => this.#showCurrent(shown));
  }

  /** @param {Citation|null} citation */
  #showCurrent(citation) {
    this.#current = citation && keyOf(citation);
    markCurrent(this.#parts.answer, this.#current);
    const [start, end] = citation ? [citation.answer_start, citation.answer_end] : [0, 0];
    this.#view.highlight(unitIndex(this.#answer, start), unitIndex(this.#answer, end));
  }
}
