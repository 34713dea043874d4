/**
 * An answer as text that stands alone: numbers in brackets where the marks are, and the sources below.
 */

/** @import { Citation } from "./types.js" */

import { element, pageKey } from "./dom.js";
import { words } from "./i18n.js";
import { markPlace } from "./offsets.js";
import { signOf } from "./turn-parts.js";

/**
 * Writes an answer with its citations; `[2?]` where a quote does not confirm its sentence, `[2!]` where it speaks
 * against it.
 *
 * @param {string} answer
 * @param {Citation[]} citations In order of `answer_end`.
 */
export function answerAsText(answer, citations) {
  let text = "";
  let written = 0;
  for (const { number, verdict, answer_end } of citations) {
    const end = markPlace(answer, answer_end);
    text += `${answer.slice(written, end)}[${number}${signOf(verdict)}]`;
    written = Math.max(written, end);
  }
  text += answer.slice(written);
  const sources = new Map(citations.map((citation) => [citation.number, sourceLine(citation)]));
  if (sources.size === 0) return text;
  const lines = [...sources].sort(([one], [other]) => one - other).map(([, line]) => line);
  return `${text.trimEnd()}\n\n${words("answer.sources")}\n${lines.join("\n")}\n`;
}

/** @param {Citation} citation */
function sourceLine({ number, title, source, page, page_label: label, heading, by_ocr, quote }) {
  const sheet = page && words(pageKey(label), { page, label: label ?? "" });
  const where = [source, sheet, heading, by_ocr && words("place.ocr")].filter(Boolean).join(", ");
  return `[${number}] ${title} (${where}): “${quote.replaceAll(/\s+/g, " ").trim()}”`;
}

/** Puts a text on the clipboard, also where the page is not in a secure context. @param {string} text */
export async function copyText(text) {
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
