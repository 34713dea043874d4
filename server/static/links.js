/**
 * Links into documents: `#document=ID&start=5&end=13&page=2` opens the viewer at a place, with offsets in code points.
 * Other programs show them beside the answers that they got from this service.
 */

import { getText } from "./api.js";
import { openViewer } from "./viewer/viewer.js";

/** Follows the link in the address, now and when it changes. */
export function startLinks() {
  window.addEventListener("hashchange", follow);
  follow();
}

async function follow() {
  const link = new URLSearchParams(location.hash.slice(1));
  const id = link.get("document");
  if (!id) return;
  const start = count(link.get("start"));
  const end = Math.max(start, count(link.get("end")));
  const place = { document_id: id, page: count(link.get("page")) || null, heading: "", start, end, number: 1 };
  try {
    const { title, source, text } = await getText(id, start, end, new AbortController().signal);
    openViewer([{ ...place, title, source, text }], 0);
  } catch {
    openViewer([{ ...place, title: id, source: "", text: "" }], 0); // it tells what is wrong
  }
}

/** @param {string|null} digits */
const count = (digits) => Math.max(0, Number.parseInt(digits ?? "", 10) || 0);
