/** The pages of a file in small: one click leads to a page. The browser fetches those in sight. */

/** @import { FilePage } from "../types.js" */

import { byId, element, pageKey } from "../dom.js";
import { sayAttribute } from "../i18n.js";
import { pictureUrl } from "./api.js";

const WIDTH_PX = 200;

/**
 * Shows the pages in small.
 *
 * @param {string} id Of the document.
 * @param {FilePage[]} pages
 * @param {(page: number) => void} onPage Hears which one is wanted.
 */
export function showThumbnails(id, pages, onPage) {
  byId("viewer-thumbnails").replaceChildren(...pages.map((page) => thumbnail(id, page, () => onPage(page.number))));
}

/** Says which page is in sight. @param {number} page */
export function markThumbnail(page) {
  const list = byId("viewer-thumbnails");
  const before = list.querySelector("[aria-current]");
  const now = list.children[page - 1]?.firstElementChild;
  if (!now || before === now) return;
  before?.removeAttribute("aria-current");
  now.setAttribute("aria-current", "page");
  if (!list.hidden) now.scrollIntoView({ block: "nearest" });
}

/** @param {string} id @param {FilePage} page @param {() => void} onClick */
function thumbnail(id, { number, label, width, height }, onClick) {
  const picture = element("img", { alt: "", loading: "lazy", src: pictureUrl(id, number, WIDTH_PX) });
  picture.style.aspectRatio = `${width} / ${height}`;
  const name = element("span", {}, label || String(number));
  const button = element("button", { type: "button", click: onClick }, picture, name);
  return element("li", {}, sayAttribute(button, "aria-label", pageKey(label), { page: number, label }));
}
