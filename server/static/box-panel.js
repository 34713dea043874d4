/** A panel in the question box: a button opens it, its cross and Escape close it. One is open at a time. */

import { byId } from "./dom.js";

/** @type {BoxPanel|null} */
let opened = null;

/** Its nodes are `{name}-panel`, `{name}-button` and `{name}-close`. */
export class BoxPanel {
  #onOpen;
  #onClose;

  /**
   * @param {string} name
   * @param {() => void} onOpen Called before the panel takes the focus.
   * @param {() => void} onClose
   */
  constructor(name, onOpen = () => {}, onClose = () => {}) {
    this.#onOpen = onOpen;
    this.#onClose = onClose;
    this.node = byId(`${name}-panel`);
    this.button = byId(`${name}-button`);
    this.button.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    byId(`${name}-close`).addEventListener("click", () => this.close());
    this.node.addEventListener("keydown", (event) => {
      const isInField = event.target instanceof HTMLInputElement;
      if (event.key === "Enter" && isInField) event.preventDefault(); // it would ask the question
    });
  }

  get isOpen() {
    return !this.node.hidden;
  }

  open() {
    closePanels();
    opened = this;
    this.#show(true);
    this.#onOpen();
    this.node.scrollTop = 0;
    this.node.focus({ preventScroll: true });
  }

  /** Hides it; the focus goes back to its button if it was inside. */
  close() {
    const hadFocus = this.node.contains(document.activeElement);
    opened = null;
    this.#show(false);
    this.#onClose();
    if (hadFocus) this.button.focus();
  }

  /** @param {boolean} wanted */
  #show(wanted) {
    this.node.hidden = !wanted;
    this.button.setAttribute("aria-expanded", String(wanted));
  }
}

/** Closes the panel that is open, and says whether there was one. */
export function closePanels() {
  const wasOpen = opened !== null;
  opened?.close();
  return wasOpen;
}
