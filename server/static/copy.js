/**
 * An answer as text that stands alone: numbers in brackets where the marks are, and the sources below.
 */

/** @import { Citation } from "./types.js" */

import { announce, element, pageKey } from "./dom.js";
import { say, words } from "./i18n.js";
import { markPlace } from "./offsets.js";
import { signOf } from "./turn-parts.js";

const COPIED_MS = 2000;

/**
 * Writes an answer with its citations; `[2?]` where a quote does not confirm its sentence, `[2!]` where it speaks
 * against it.
 *
 * @param {string} answer
 * @param {Citation[]} citations In order of `answer_end`.
 */
export function answerAsText(answer, citations) {
  const text = marked(answer, citations, ({ number, verdict }) => `[${number}${signOf(verdict)}]`);
  const lines = each(citations).map((citation) => `[${citation.number}] ${sourceLine(citation)}`);
  return lines.length ? `${text.trimEnd()}\n\n${words("answer.sources")}\n${lines.join("\n")}\n` : text;
}

/**
 * The same as Markdown with footnotes; the answer is Markdown already.
 *
 * @param {string} answer
 * @param {Citation[]} citations In order of `answer_end`.
 */
export function answerAsMarkdown(answer, citations) {
  const text = marked(answer, citations, ({ number, verdict }) => `[^${number}]${signOf(verdict)}`);
  const notes = each(citations).map((citation) => `[^${citation.number}]: ${sourceLine(citation)}`);
  return notes.length ? `${text.trimEnd()}\n\n${notes.join("\n")}\n` : text;
}

/**
 * An answer with a mark behind each stretch that is cited.
 *
 * @param {string} answer
 * @param {Citation[]} citations
 * @param {(citation: Citation) => string} markOf
 */
function marked(answer, citations, markOf) {
  let text = "";
  let written = 0;
  for (const citation of citations) {
    const end = markPlace(answer, citation.answer_end);
    text += answer.slice(written, end) + markOf(citation);
    written = Math.max(written, end);
  }
  return text + answer.slice(written);
}

/** One citation of each number, in their order. @param {Citation[]} citations */
function each(citations) {
  const ofNumber = new Map(citations.map((citation) => [citation.number, citation]));
  return [...ofNumber.values()].sort((one, other) => one.number - other.number);
}

/** @param {Citation} citation */
function sourceLine({ title, source, page, page_label: label, heading, by_ocr, quote }) {
  const sheet = page && words(pageKey(label), { page, label: label ?? "" });
  const where = [source, sheet, heading, by_ocr && words("place.ocr")].filter(Boolean).join(", ");
  return `${title} (${where}): “${quote.replaceAll(/\s+/g, " ").trim()}”`;
}

/**
 * Makes the buttons that copy an answer, as text and as Markdown.
 *
 * @param {(write: typeof answerAsText) => string} written What a way to write makes of the answer.
 */
export const makeCopyButtons = (written) => [
  makeCopyButton("answer.copy", () => written(answerAsText)),
  makeCopyButton("answer.markdown", () => written(answerAsMarkdown)),
];

/** Makes a button that copies what is written when it is pressed. @param {string} name @param {() => string} write */
function makeCopyButton(name, write) {
  const copy = async () => {
    await copyText(write());
    say(button, "answer.copied");
    announce(words("answer.copied"));
    setTimeout(() => say(button, name), COPIED_MS);
  };
  const button = say(element("button", { type: "button", class: "quiet copy", click: copy }), name);
  return button;
}

/** Puts a text on the clipboard, also where the page is not in a secure context. @param {string} text */
async function copyText(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = element("textarea", { class: "visually-hidden" });
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
