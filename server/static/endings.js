/**
 * How a turn ends that has no answer: nothing was written, or what was written is not borne out.
 */

import { announce, element } from "./dom.js";
import { say, words } from "./i18n.js";

/** @import { Answer } from "./types.js" */

/** @typedef {NonNullable<Answer["documents"]>[number]} Choice */
/** @typedef {(document: Choice) => void} OnChoose */
/** @typedef {ReturnType<typeof import("./turn-parts.js").makeParts>} Parts */

/**
 * Says that the documents hold no answer, and shows the nearest passages; or asks which document is meant.
 *
 * @param {Parts} parts
 * @param {Answer} answer
 * @param {boolean} hasPassages
 * @param {(() => void)|null} onAll Called when the reader wants to ask all documents.
 * @param {OnChoose} onChoose Called when the reader says which document is meant.
 */
export function showNone(parts, answer, hasPassages, onAll, onChoose) {
  if (answer.finish_reason === "choices") {
    showChoices(parts, answer.documents ?? [], onChoose);
    return;
  }
  const all = onAll && element("button", { type: "button", class: "secondary", click: onAll });
  if (all) say(all, "evidence.filtered.all");
  const scope = all ? "filtered" : "none";
  show(parts, `evidence.${scope}.title`, `evidence.${scope}.${hasPassages ? "text" : "empty"}`, all);
}

/** Folds away what the model wrote, and says that the documents do not bear it out. @param {Parts} parts */
export function showUnsupported(parts) {
  show(parts, "unsupported.title", "unsupported.text", null);
  const draft = element("details", { class: "draft" }, say(element("summary"), "unsupported.draft"), parts.answer);
  parts.passages.before(draft);
}

/** @param {Parts} parts @param {Choice[]} documents @param {OnChoose} onChoose */
function showChoices({ ending }, documents, onChoose) {
  const choices = documents.map((document) => {
    const source = element("span", { class: "source" }, document.source);
    const attributes = { type: "button", class: "secondary", click: () => onChoose(document) };
    return element("li", {}, element("button", attributes, document.title, " ", source));
  });
  const heading = say(element("h3"), "choices.title");
  ending.append(element("div", { class: "none choices" }, heading, element("ul", {}, ...choices)));
  announce(words("choices.title"));
}

/** @param {Parts} parts @param {string} title @param {string} text @param {Node|null} more */
function show({ ending, passages, passagesTitle }, title, text, more) {
  const heading = say(element("h3"), title);
  ending.append(
    element("div", { class: "none", "data-answerable": "false" }, heading, say(element("p"), text), more),
    passages,
  );
  passages.classList.add("nearest");
  say(passagesTitle, "passages.nearest");
  announce(`${words(title)}. ${words(text)}`);
}
