/**
 * Links between documents: to which the shown one leads, and which lead to it. They are addresses of the page, so that
 * they can be kept, opened in another tab, and gone back from.
 */

/** @import { DocumentLink } from "../types.js" */

import { byId, element } from "../dom.js";
import { say } from "../i18n.js";
import { getLinks } from "./api.js";

let loading = new AbortController();

/** Shows the links of a document, or nothing where there are none, or they cannot be had. @param {string} id */
export async function showLinks(id) {
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  const links = byId("viewer-links");
  links.hidden = true;
  const found = await getLinks(id, signal).catch(() => ({ to: [], by: [] }));
  if (signal.aborted) return;
  const [to, by] = [eachOnce(found.to), eachOnce(found.by)];
  links.hidden = to.length + by.length === 0;
  say(byId("viewer-links-count"), "viewer.links", { to: to.length, by: by.length });
  byId("viewer-links-lists").replaceChildren(...list("viewer.links.to", to), ...list("viewer.links.by", by));
}

/**
 * Has a link into a document open in this page, again if it was the last one that was followed, too.
 *
 * @param {HTMLAnchorElement} link
 */
export function stayHere(link) {
  link.removeAttribute("target");
  link.addEventListener("click", () => {
    if (link.hash === location.hash) window.dispatchEvent(new HashChangeEvent("hashchange"));
  });
  return link;
}

/** @param {string} key @param {DocumentLink[]} links */
function list(key, links) {
  if (links.length === 0) return [];
  return [say(element("h3"), key), element("ul", {}, ...links.map((link) => element("li", {}, entry(link))))];
}

/** Of several links between two documents, the first. @param {DocumentLink[]} links */
function eachOnce(links) {
  const first = new Map();
  for (const link of links) {
    const key = link.document_id ?? link.target;
    if (!first.has(key)) first.set(key, link);
  }
  return [...first.values()];
}

/** @param {DocumentLink} link */
function entry({ url, title, source, target }) {
  if (!url) return say(element("span", { class: "note" }), "viewer.links.nowhere", { target });
  return stayHere(element("a", { href: url, title: source }, title));
}
