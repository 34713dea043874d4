/**
 * A document whose text is Markdown, rendered. The HTML comes sanitised from the service; the browser parses it apart
 * from the page, where nothing of it could run either, and then only its nodes move in.
 */

/** @import { Target, View } from "../types.js" */

import { asProblem, isAbort } from "../api.js";
import { element, problem } from "../dom.js";
import { say } from "../i18n.js";
import { getRendered } from "./api.js";
import { stayHere } from "./linked.js";
import { centre } from "./scrolling.js";

/** @implements {View} */
export class MarkdownView {
  #body;

  /** @param {HTMLElement} body What scrolls. */
  constructor(body) {
    this.#body = body;
  }

  /** @param {Target} target @param {AbortSignal} signal */
  async show(target, signal) {
    await this.#load(target, target.start, signal);
    centre(this.#body);
  }

  clear() {
    this.#body.replaceChildren();
  }

  /** @param {Target} target @param {number} at @param {AbortSignal} signal */
  async #load(target, at, signal) {
    const part = await getRendered(target.document.id, target, at, signal);
    const parsed = new DOMParser().parseFromString(part.html, "text/html");
    const text = element("div", { class: "rendered" }, ...parsed.body.childNodes);
    for (const link of text.querySelectorAll('a[href^="#"]')) stayHere(/** @type {HTMLAnchorElement} */ (link));
    this.#body.replaceChildren(
      this.#more("viewer.earlier", part.start > 0, target, part.start - 1, signal),
      text,
      this.#more("viewer.later", part.end < part.text_chars, target, part.end, signal),
    );
    const isMarked = target.end <= target.start || text.querySelector("mark");
    if (!isMarked && part.start <= target.start && target.end <= part.end) {
      this.#body.prepend(say(element("p", { class: "note" }), "viewer.unmarked"));
    }
  }

  /**
   * @param {string} key
   * @param {boolean} isNeeded
   * @param {Target} target
   * @param {number} at
   * @param {AbortSignal} signal
   */
  #more(key, isNeeded, target, at, signal) {
    const click = async () => {
      try {
        await this.#load(target, at, signal);
        this.#body.scrollTop = key === "viewer.earlier" ? this.#body.scrollHeight : 0;
        this.#body.focus();
      } catch (error) {
        if (!isAbort(error)) this.#body.prepend(problem(asProblem(error)));
      }
    };
    const button = say(element("button", { type: "button", class: "more", click }), key);
    button.hidden = !isNeeded;
    return button;
  }
}
