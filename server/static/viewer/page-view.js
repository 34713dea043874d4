/**
 * The pages of a file, one below the other. Only those in sight and their neighbours are drawn, however many there are;
 * what is marked is fetched for the pages on which it stands.
 */

/** @import { FilePages, Target, View } from "../types.js" */

import { isAbort } from "../api.js";
import { element, keepingFocus } from "../dom.js";
import { say } from "../i18n.js";
import { getPages } from "./api.js";
import { PageFrame } from "./page-frame.js";
import { centre } from "./scrolling.js";

const NEAR = "120%"; // of the height of what scrolls, to either side
const REST_MS = 150; // for so long a page must be in sight before its text is fetched
const ZOOMS = [0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3];

/** @implements {View} */
export class PageView {
  #body;
  #onPage;
  #list = element("div", { class: "sheets" });
  /** @type {PageFrame[]} */
  #frames = [];
  /** @type {Set<PageFrame>} */
  #near = new Set();
  /** @type {IntersectionObserver|null} */
  #watching = null;
  #opened = "";
  #zoom = 1;
  /** @type {Target|null} */
  #target = null;
  /** @type {AbortSignal} */
  #signal = new AbortController().signal;
  #resting = 0;

  /**
   * @param {HTMLElement} body What scrolls.
   * @param {(page: number, total: number) => void} onPage Hears which page is in sight.
   */
  constructor(body, onPage) {
    this.#body = body;
    this.#onPage = onPage;
    body.addEventListener("scroll", () => this.#list.isConnected && this.#tellPage(), { passive: true });
    new ResizeObserver(() => this.#refit()).observe(body);
  }

  /** The pages, once they are known. */
  get pages() {
    return this.#frames.map((frame) => frame.page);
  }

  /** Whether the pages can be made larger, and smaller. */
  get zooms() {
    return { larger: this.#zoom < ZOOMS[ZOOMS.length - 1], smaller: this.#zoom > ZOOMS[0] };
  }

  /** @param {Target} target @param {AbortSignal} signal */
  async show(target, signal) {
    this.#target = target;
    this.#signal = signal;
    const { id, indexed_at } = target.document;
    const known = `${id} ${indexed_at}`;
    if (known !== this.#opened || !this.#list.isConnected) {
      const listed = await getPages(id, signal);
      this.#open(id, listed);
      this.#opened = listed.changed ? "" : known; // one that has changed is looked at anew next time
    }
    for (const frame of this.#frames) frame.unmark();
    await this.#goTo(target);
  }

  clear() {
    this.#watching?.disconnect();
    this.#near.clear();
    this.#frames = [];
    this.#opened = "";
    this.#list.replaceChildren();
    this.#body.replaceChildren();
  }

  /** Shows a page from its top. @param {number} number */
  turnTo(number) {
    const frame = this.#frames[number - 1];
    if (!frame) return;
    frame.draw();
    this.#body.scrollTop += frame.node.getBoundingClientRect().top - this.#body.getBoundingClientRect().top - 8;
  }

  /** Makes the pages larger (1) or smaller (-1). @param {number} by */
  zoom(by) {
    const at = Math.min(Math.max(ZOOMS.indexOf(this.#zoom) + by, 0), ZOOMS.length - 1);
    const { scrollTop, scrollHeight, clientHeight } = this.#body;
    const middle = (scrollTop + clientHeight / 2) / scrollHeight;
    this.#zoom = ZOOMS[at];
    this.#list.style.width = `${100 * this.#zoom}%`;
    this.#body.scrollTop = middle * this.#body.scrollHeight - clientHeight / 2;
    this.#refit();
  }

  /** @param {string} id @param {FilePages} listed */
  #open(id, listed) {
    this.clear();
    this.#frames = listed.pages.map((page) => new PageFrame(id, page));
    this.#list.replaceChildren(...this.#frames.map((frame) => frame.node));
    const changed = listed.changed ? [say(element("p", { class: "note warning" }), "viewer.file_changed")] : [];
    keepingFocus(() => this.#body.replaceChildren(...changed, this.#list));
    this.#watching = new IntersectionObserver((entries) => this.#takeSight(entries), {
      root: this.#body,
      rootMargin: `${NEAR} 0px`,
    });
    for (const frame of this.#frames) this.#watching.observe(frame.node);
  }

  /** @param {Target} target */
  async #goTo(target) {
    const { start, end } = target;
    const first = this.#frames.find(({ page }) => page.end !== null && start < end && start < page.end);
    const number = target.page ?? first?.page.number ?? 1;
    const frame = this.#frames[number - 1] ?? this.#frames[0];
    if (!frame) return;
    this.turnTo(frame.page.number);
    this.#tellPage();
    const isMarked = await frame.mark(target, this.#signal);
    this.#body.querySelector(".unmarked")?.remove();
    if (isMarked) centre(this.#body);
    else if (start < end) this.#body.prepend(say(element("p", { class: "note unmarked" }), "viewer.unmarked"));
    for (const near of this.#near) this.#mark(near);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #takeSight(entries) {
    for (const { target, isIntersecting } of entries) {
      const frame = this.#frames[Number(/** @type {HTMLElement} */ (target).dataset.page) - 1];
      if (!frame) continue;
      if (isIntersecting) {
        this.#near.add(frame);
        frame.draw();
        this.#mark(frame);
      } else if (this.#near.delete(frame)) frame.drop();
    }
    this.#tellPage();
    this.#rest();
  }

  /** @param {PageFrame} frame */
  async #mark(frame) {
    try {
      if (this.#target) await frame.mark(this.#target, this.#signal);
    } catch (error) {
      if (!isAbort(error)) frame.unmark();
    }
  }

  /** Fetches the text of what is in sight once it stays there. */
  #rest() {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      for (const frame of this.#near) frame.layText(this.#signal);
    }, REST_MS);
  }

  #refit() {
    for (const frame of this.#near) {
      frame.draw();
      frame.fit();
    }
  }

  #tellPage() {
    const middle = this.#body.getBoundingClientRect().top + this.#body.clientHeight / 3;
    const candidates = this.#near.size ? [...this.#near] : this.#frames.slice(0, 1);
    const seen = candidates.find(({ node }) => {
      const { top, bottom } = node.getBoundingClientRect();
      return top <= middle && middle < bottom;
    });
    if (seen) this.#onPage(seen.page.number, this.#frames.length);
  }
}
