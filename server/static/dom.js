/**
 * Making nodes. Text always goes in as text, never as markup, so nothing that a document or a model says can become
 * an element, an attribute or a script.
 */

/** @import { PageElements, Problem } from "./types.js" */

import { hasWords, say, sayAttribute, words } from "./i18n.js";

const SVG = "http://www.w3.org/2000/svg";
let announced = "";

/** Whether there is a keyboard: without one, a focus on a field would bring one up on the screen. */
export const HAS_KEYBOARD = matchMedia("(hover: hover)").matches;

/** Whether the documents stand beside the conversation; the style sheet draws the same line. */
export const WIDE = matchMedia("(min-width: 64rem)");

/**
 * The node of `index.html` with this id.
 *
 * @template {string} Id
 * @param {Id} id
 * @returns {Id extends keyof PageElements ? PageElements[Id] : HTMLElement}
 */
export const byId = (id) => /** @type {any} */ (document.getElementById(id));

/**
 * Makes an element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string|number|boolean|null|undefined|((event: any) => void)>} attributes A function becomes a
 *   listener of that event; null, undefined and false are left out.
 * @param {...(Node|string|null|undefined)} children Strings become text.
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * Makes a change, and puts the focus back on the control of the same `data-focus` if it was made anew.
 *
 * @param {() => void} change
 */
export function keepingFocus(change) {
  const before = document.activeElement;
  const name = before?.getAttribute("data-focus");
  change();
  if (!name || before?.isConnected) return;
  const anew = document.querySelector(`[data-focus="${CSS.escape(name)}"]`);
  if (anew instanceof HTMLElement) anew.focus({ preventScroll: true });
}

/** Makes one of the icons that `index.html` holds; it says nothing, its button does. @param {string} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Makes the cross that takes something away. @param {() => void} onDismiss */
export function dismissButton(onDismiss) {
  const button = element("button", { type: "button", class: "quiet dismiss", click: onDismiss }, icon("close"));
  return sayAttribute(button, "aria-label", "dismiss");
}

/** Says something to screen readers; the same words twice in a row are said once. @param {string} text */
export function announce(text) {
  if (text === announced) return;
  announced = text;
  byId("announcer").textContent = text;
}

/**
 * Makes the box that shows an error: what it is, what the service said, and what to do.
 *
 * @param {Problem} error
 * @param {...Node} actions
 */
export function problem(error, ...actions) {
  const key = hasWords(`error.${error.code}`) ? `error.${error.code}` : "error.unknown";
  const hint = error.hint || (error.code === "unreachable" ? words("error.unreachable.hint") : "");
  return element(
    "div",
    { class: "problem", role: "alert", "data-code": error.code },
    say(element("p", { class: "problem-title" }), key),
    error.message ? element("p", { class: "problem-message" }, error.message) : null,
    hint ? element("p", { class: "problem-hint" }, hint) : null,
    error.retryAfter ? say(element("p"), "error.busy.wait", { seconds: error.retryAfter }) : null,
    ...actions,
  );
}

/** The message for a page, which may have another number printed on it. @param {string|undefined} label */
export const pageKey = (label) => (label ? "page.labelled" : "page");

/**
 * The line that says where a passage or citation stands: page and heading, and whether it was read in a picture.
 *
 * @param {{page?: number|null, page_label?: string, heading?: string, by_ocr?: boolean}} place
 */
export function place({ page, page_label: label, heading, by_ocr }) {
  const parts = [];
  if (page) parts.push(say(element("span"), pageKey(label), { page, label: label ?? "" }));
  if (heading) parts.push(element("span", {}, heading));
  if (by_ocr) parts.push(say(element("span"), "place.ocr"));
  return parts.flatMap((part, at) => (at ? [" · ", part] : [part]));
}
