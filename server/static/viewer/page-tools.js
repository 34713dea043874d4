/** What pages can be moved with: number, zoom, and the pages in small. Hidden where there are none. */

/** @import { PageView } from "./page-view.js" */

import { byId } from "../dom.js";
import { say, store, stored } from "../i18n.js";
import { markThumbnail, showThumbnails } from "./thumbnails.js";

const THUMBNAILS_KEY = "r1-kb-thumbnails";

/** @type {PageView} */
let view;
let listed = "";

/** Connects the tools. @param {PageView} pageView */
export function startPageTools(pageView) {
  view = pageView;
  const field = byId("viewer-page");
  field.addEventListener("change", () => view.turnTo(Number(field.value)));
  for (const [id, by] of /** @type {const} */ ([["viewer-zoom-out", -1], ["viewer-zoom-in", 1]])) {
    byId(id).addEventListener("click", () => {
      view.zoom(by);
      byId("viewer-zoom-in").disabled = !view.zooms.larger;
      byId("viewer-zoom-out").disabled = !view.zooms.smaller;
    });
  }
  byId("viewer-thumbnails-toggle").addEventListener("click", () => {
    store(THUMBNAILS_KEY, byId("viewer-thumbnails").hidden ? "shown" : "hidden");
    tellThumbnails();
  });
}

/** Shows the tools for a document, or hides them. @param {boolean} isPaged @param {string} id Of the document. */
export function showPages(isPaged, id) {
  const { pages } = view;
  byId("viewer-page-tools").hidden = !isPaged;
  byId("viewer-thumbnails").hidden = true;
  if (!isPaged || !pages.length) return;
  if (listed !== `${id} ${pages.length}`) showThumbnails(id, pages, (page) => view.turnTo(page));
  listed = `${id} ${pages.length}`;
  tellThumbnails();
}

/** Says which page is in sight. @param {number} page @param {number} total */
export function followPage(page, total) {
  const field = byId("viewer-page");
  if (document.activeElement !== field) field.value = String(page);
  field.max = String(total);
  say(byId("viewer-page-total"), "viewer.page.total", { total });
  markThumbnail(page);
}

function tellThumbnails() {
  const isShown = stored(THUMBNAILS_KEY) === "shown";
  byId("viewer-thumbnails").hidden = !isShown;
  byId("viewer-thumbnails-toggle").setAttribute("aria-expanded", String(isShown));
}
