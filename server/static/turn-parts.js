/**
 * The pieces that a turn is made of: its frame, the cards of the passages, the marks of the citations. They hold no
 * state and say what they are told.
 */

/** @import { Answer, Citation, Passage } from "./types.js" */

import { element, icon, place } from "./dom.js";
import { formatSeconds, say, sayAttribute } from "./i18n.js";

/**
 * What tells one citation of an answer from the others: the same quote may support several sentences.
 *
 * @param {Pick<Citation, "number"|"answer_end">} citation
 */
export const keyOf = ({ number, answer_end }) => `${number}@${answer_end}`;

/**
 * Makes the frame of a turn, with all its places still empty.
 *
 * @param {string} question
 * @param {string[]} filters Names of the filters that it is asked with.
 */
export function makeParts(question, filters) {
  const passageList = element("ol");
  const passagesTitle = say(element("h3"), "passages.label");
  const passages = element("section", { class: "passages", hidden: true }, passagesTitle, passageList);
  const reasoningText = element("div", { class: "reasoning-text", tabindex: "0" });
  const summary = element("summary");
  const reasoning = element("details", { class: "reasoning", hidden: true }, summary, reasoningText);
  const stage = element("p", { class: "stage" });
  const answer = element("div", { class: "answer", "aria-busy": "true" });
  const ending = element("div", { class: "ending" });
  const heading = element("h2", { class: "question", tabindex: "-1" }, question);
  const narrowed = filters.length ? element("p", { class: "narrowed" }, icon("filter"), filters.join(" · ")) : null;
  const node = element("article", { class: "turn" }, heading, narrowed, passages, reasoning, stage, answer, ending);
  return { node, passages, passagesTitle, passageList, reasoning, summary, reasoningText, stage, answer, ending };
}

/** Makes the card of a passage. @param {Passage} passage @param {() => void} onOpen */
export function makeCard(passage, onOpen) {
  const card = element(
    "button",
    { type: "button", class: "passage", "data-passage": passage.number, click: onOpen },
    element("span", { class: "passage-title" }, passage.title),
    element("span", { class: "source" }, passage.source),
    element("span", { class: "place" }, ...place(passage)),
    element("span", { class: "snippet" }, passage.text),
    passage.older_versions?.length
      ? say(element("span", { class: "older" }), "passages.older", { sources: passage.older_versions.join(", ") })
      : null,
    element("span", { class: "cited-by" }),
  );
  return element("li", {}, card);
}

/** Marks the card of a passage that found no room in the prompt. @param {HTMLElement} card */
export function markUnseen(card) {
  card.dataset.unseen = "";
  card.append(say(element("span", { class: "unseen" }), "passages.unseen"));
}

/** What is written behind the number of a citation. @param {Citation["verdict"]} verdict */
export function signOf(verdict) {
  return { supported: "", contradicted: "!", not_shown: "?" }[verdict];
}

/**
 * Makes the mark of a citation: a small raised button; `2?` where the quote does not confirm the sentence, `2!` where
 * it speaks against it.
 *
 * @param {Citation} citation
 * @param {boolean} isCurrent
 * @param {() => void} onOpen
 */
export function makeMark({ number, title, verdict, answer_end, standing }, isCurrent, onOpen) {
  const button = element(
    "button",
    {
      type: "button",
      "data-citation": number,
      "data-verdict": verdict,
      "data-standing": standing,
      "data-key": keyOf({ number, answer_end }),
      "aria-current": isCurrent ? "true" : null,
      click: onOpen,
    },
    `${number}${signOf(verdict)}`,
  );
  const key = `citation.mark.${verdict}`;
  sayAttribute(button, "aria-label", key, { number, title });
  sayAttribute(button, "title", key, { number, title });
  return element("sup", { class: "mark" }, button);
}

/** Says which mark of an answer is the one that the viewer shows. @param {Element} answer @param {string|null} key */
export function markCurrent(answer, key) {
  /** @type {NodeListOf<HTMLElement>} */
  const buttons = answer.querySelectorAll("[data-citation]");
  for (const button of buttons) {
    if (button.dataset.key === key) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

/** Makes the number of a citation where it cannot be pressed. @param {number} number */
export function makeNumber(number) {
  return element("span", { class: "number" }, String(number));
}

/** Makes the line that says as what kind a question was answered, by whom and how fast. @param {Answer} answer */
export function timingsLine({ model, timings, kind = "lookup" }) {
  const values = {
    model: model && `${model} · `,
    total: formatSeconds(timings.total_ms),
    retrieve: formatSeconds(timings.retrieve_ms),
    first: formatSeconds(timings.first_reasoning_ms ?? timings.first_answer_ms ?? timings.total_ms),
    prompt: timings.prompt_tokens,
    written: timings.reasoning_tokens + timings.answer_tokens,
  };
  const asWhat = say(element("span", { class: "kind" }), `kind.${kind}`);
  const line = element("p", { class: "timings" }, asWhat, " · ", say(element("span"), "answer.timings", values));
  return sayAttribute(line, "title", "answer.timings.detail", values);
}
