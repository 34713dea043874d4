/**
 * A document as the service reads it: the extracted text around a place, with what is marked, and more of it on demand.
 */

/** @import { DocumentText, Target, View } from "../types.js" */

import { asProblem, getText, isAbort } from "../api.js";
import { element, problem } from "../dom.js";
import { say } from "../i18n.js";
import { unitIndex } from "../offsets.js";
import { centre } from "./scrolling.js";

const FULL_WIDTH = /[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60]/g;
const FULL_WIDTH_AT_END = /[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60]$/;
const FULL_LINE = 0.8;
const LISTED = /^\s*([·•‣◦▪–*-]|\d{1,3}[.)])\s/;
const CONTEXT_CHARS = 900;
const MORE_CHARS = 3000;

/** @implements {View} */
export class TextView {
  #body;
  #span = { start: 0, end: 0 };

  /** @param {HTMLElement} body What scrolls. */
  constructor(body) {
    this.#body = body;
  }

  /** @param {Target} target @param {AbortSignal} signal */
  async show(target, signal) {
    const around = target.end > target.start ? CONTEXT_CHARS : MORE_CHARS;
    this.#span = { start: Math.max(0, target.start - around), end: target.end + around };
    await this.#load(target, signal);
    centre(this.#body);
  }

  clear() {
    this.#body.replaceChildren();
  }

  /** @param {Target} target @param {AbortSignal} signal */
  async #load(target, signal) {
    const slice = await getText(target.document.id, this.#span.start, this.#span.end, signal);
    this.#span = { start: slice.start, end: slice.end };
    this.#body.replaceChildren(
      this.#more("viewer.earlier", slice.start > 0, () => this.#extend(target, signal, -1)),
      element("p", { class: "text" }, ...markedText(target, slice)),
      this.#more("viewer.later", slice.end < slice.text_chars, () => this.#extend(target, signal, 1)),
    );
  }

  /** @param {string} key @param {boolean} isNeeded @param {() => void} onClick */
  #more(key, isNeeded, onClick) {
    const button = say(element("button", { type: "button", class: "more", click: onClick }), key);
    button.hidden = !isNeeded;
    return button;
  }

  /**
   * Shows more of the document, before (-1) or after (1), and keeps what is being read where it is.
   *
   * @param {Target} target
   * @param {AbortSignal} signal
   * @param {number} direction
   */
  async #extend(target, signal, direction) {
    const body = this.#body;
    const fromBottom = body.scrollHeight - body.scrollTop;
    const { scrollTop } = body;
    if (direction < 0) this.#span.start = Math.max(0, this.#span.start - MORE_CHARS);
    else this.#span.end += MORE_CHARS;
    try {
      await this.#load(target, signal);
    } catch (error) {
      if (!isAbort(error)) body.prepend(problem(asProblem(error)));
      return;
    }
    body.scrollTop = direction < 0 ? body.scrollHeight - fromBottom : scrollTop;
    body.focus();
  }
}

/** @param {Target} target @param {DocumentText} slice */
function markedText({ start, end }, slice) {
  const shown = slice.page_count ? flowed(slice.text) : slice.text;
  const from = unitIndex(slice.text, start - slice.start);
  const to = unitIndex(slice.text, end - slice.start);
  return from < to ? [shown.slice(0, from), element("mark", {}, shown.slice(from, to)), shown.slice(to)] : [shown];
}

/**
 * The text of pages for a narrower column: it runs on after lines that fill the page's width. Every character keeps its
 * offset, because a line break becomes a space or, after Chinese, a break that takes no room.
 *
 * @param {string} text
 */
function flowed(text) {
  /** @param {string} line */
  const width = (line) => line.length + (line.match(FULL_WIDTH)?.length ?? 0);
  const full = FULL_LINE * Math.max(...text.split("\n").map(width));
  return text.replace(/([^\n]+)\n(?=([^\n]+))/g, (lines, line, next) => {
    if (width(line) < full || LISTED.test(next)) return lines;
    return line + (FULL_WIDTH_AT_END.test(line) ? "\u200b" : " ");
  });
}
