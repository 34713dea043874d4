/**
 * One page of a file: its picture, what is marked on it, and its text to be copied. Holds the room of the page from the
 * start; the rest comes when the page is near, and goes when it is far.
 */

/** @import { Box, FilePage, Target } from "../types.js" */

import { isAbort } from "../api.js";
import { element, pageKey } from "../dom.js";
import { sayAttribute } from "../i18n.js";
import { getBoxes, getLines, pictureUrl } from "./api.js";

const STEP_PX = 200;
const MOST_PX = 3000;
const UPRIGHT = 2; // a line of several characters that is so much higher than wide runs down the page

/** How wide a picture is asked for, so that few different ones are. @param {number} cssPixels */
export const pictureWidth = (cssPixels) =>
  Math.min(MOST_PX, Math.max(STEP_PX, Math.ceil((cssPixels * devicePixelRatio) / STEP_PX) * STEP_PX));

/** A page. `node` is to be put into what scrolls. */
export class PageFrame {
  #id;
  #shown = 0;
  #marked = "";
  #hasText = false;
  #picture = element("img", { alt: "", decoding: "async", draggable: "false" });
  #marks = element("div", { class: "marks" });
  #text = element("div", { class: "text-layer" });

  /** @param {string} id Of the document. @param {FilePage} page */
  constructor(id, page) {
    this.#id = id;
    this.page = page;
    this.node = element("section", { class: "sheet", "data-page": page.number }, this.#marks, this.#text);
    this.node.style.aspectRatio = `${page.width} / ${page.height}`;
    this.#text.style.width = `${page.width}px`;
    this.#text.style.height = `${page.height}px`;
    sayAttribute(this.node, "aria-label", pageKey(page.label), { page: page.number, label: page.label });
  }

  /** Draws the page for the width that it has now. */
  draw() {
    const width = pictureWidth(this.node.clientWidth);
    if (width === this.#shown) return;
    this.#shown = width;
    this.#picture.src = pictureUrl(this.#id, this.page.number, width);
    if (!this.#picture.isConnected) this.node.prepend(this.#picture);
    this.fit();
  }

  /** Lets go of the picture and the text. */
  drop() {
    this.#shown = 0;
    this.#picture.remove();
    this.#picture.removeAttribute("src");
    this.#text.replaceChildren();
    this.#hasText = false;
  }

  /** Fits the text to the width of the page. */
  fit() {
    this.#text.style.transform = `scale(${this.node.clientWidth / this.page.width})`;
  }

  /**
   * Marks what of a target stands on this page.
   *
   * @param {Target} target
   * @param {AbortSignal} signal
   * @returns {Promise<boolean>} Whether anything is marked.
   */
  async mark({ start, end, quote }, signal) {
    const key = `${start}-${end}`;
    if (key === this.#marked) return this.#marks.childElementCount > 0;
    this.unmark();
    const { start: first, end: last } = this.page;
    if (start >= end || first === null || last === null || end <= first || start >= last) return false;
    this.#marked = key;
    const { boxes } = await getBoxes(this.#id, this.page.number, { start, end }, signal);
    const words = element("span", { class: "visually-hidden" }, quote);
    this.#marks.replaceChildren(...boxes.map((box, at) => placed(element("mark", {}, at ? null : words), box)));
    return boxes.length > 0;
  }

  /** Takes off what is marked. */
  unmark() {
    this.#marked = "";
    this.#marks.replaceChildren();
  }

  /** Lays the text over the picture, so that it can be selected and read aloud. @param {AbortSignal} signal */
  async layText(signal) {
    if (this.#hasText) return;
    this.#hasText = true;
    try {
      const { lines } = await getLines(this.#id, this.page.number, signal);
      const spans = lines.map(({ text, box }) => this.#line(text, box));
      this.#text.replaceChildren(...spans.flatMap((span) => [span, element("br")]));
      const widths = spans.map((span) => span.offsetWidth);
      for (const [at, span] of spans.entries()) stretch(span, widths[at]);
    } catch (error) {
      this.#hasText = false;
      if (!isAbort(error)) this.#text.replaceChildren(); // the picture is there; its text is in the other tab
    }
  }

  /** @param {string} text @param {Box} box */
  #line(text, [left, top, width, height]) {
    const across = width * this.page.width;
    const down = height * this.page.height;
    const isUpright = text.length > 1 && down > UPRIGHT * across;
    const span = element("span", { "data-upright": isUpright, "data-length": isUpright ? down : across }, text);
    span.style.left = `${100 * left}%`;
    span.style.top = `${100 * top}%`;
    span.style.fontSize = `${Math.max(1, 0.8 * Math.min(across, down) || down)}px`;
    if (!isUpright) span.style.fontSize = `${Math.max(1, 0.8 * down)}px`;
    return span;
  }
}

/** @param {HTMLElement} span @param {number} width */
function stretch(span, width) {
  const wanted = Number(span.dataset.length);
  if (width > 0 && !("upright" in span.dataset)) span.style.transform = `scaleX(${wanted / width})`;
}

/** @template {HTMLElement} Node @param {Node} node @param {Box} box */
function placed(node, [left, top, width, height]) {
  node.style.left = `${100 * left}%`;
  node.style.top = `${100 * top}%`;
  node.style.width = `${100 * width}%`;
  node.style.height = `${100 * height}%`;
  return node;
}
