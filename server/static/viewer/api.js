/** What the viewer asks the service for: pages, places on them, rendered text, and where words stand in a document. */

/** @import { DocumentLinks, FilePages, Match, PageBoxes, PageLines, RenderedText } from "../types.js" */

import { documentPath, request } from "../api.js";

/** @param {string} path @param {AbortSignal} signal */
const json = async (path, signal) => (await request(path, { signal })).json();

/** `GET /documents/{id}/pages`. @param {string} id @param {AbortSignal} signal @returns {Promise<FilePages>} */
export const getPages = (id, signal) => json(`${documentPath(id)}/pages`, signal);

/** The address of the picture of a page. @param {string} id @param {number} page @param {number} width In pixels. */
export const pictureUrl = (id, page, width) => `${documentPath(id)}/pages/${page}?width=${width}`;

/**
 * `GET /documents/{id}/pages/{n}/boxes`: where a stretch of the text stands on a page.
 *
 * @param {string} id
 * @param {number} page
 * @param {{start: number, end: number}} span In code points.
 * @param {AbortSignal} signal
 * @returns {Promise<PageBoxes>}
 */
export const getBoxes = (id, page, { start, end }, signal) =>
  json(`${documentPath(id)}/pages/${page}/boxes?start=${start}&end=${end}`, signal);

/**
 * `GET /documents/{id}/pages/{n}/text`: the lines of a page as they are drawn.
 *
 * @param {string} id
 * @param {number} page
 * @param {AbortSignal} signal
 * @returns {Promise<PageLines>}
 */
export const getLines = (id, page, signal) => json(`${documentPath(id)}/pages/${page}/text`, signal);

/**
 * `GET /documents/{id}/markdown`: the text as HTML that is safe to show, with a stretch of it marked.
 *
 * @param {string} id
 * @param {{start: number, end: number}} span In code points.
 * @param {number} at Around which character, in a long document.
 * @param {AbortSignal} signal
 * @returns {Promise<RenderedText>}
 */
export const getRendered = (id, { start, end }, at, signal) =>
  json(`${documentPath(id)}/markdown?start=${start}&end=${end}&at=${at}`, signal);

/** `GET /documents/{id}/links`. @param {string} id @param {AbortSignal} signal @returns {Promise<DocumentLinks>} */
export const getLinks = (id, signal) => json(`${documentPath(id)}/links`, signal);

/**
 * `GET /documents/{id}/search`: where words stand in a document.
 *
 * @param {string} id
 * @param {string} text
 * @param {AbortSignal} signal
 * @returns {Promise<{matches: Match[], total: number}>}
 */
export const searchInside = (id, text, signal) =>
  json(`${documentPath(id)}/search?q=${encodeURIComponent(text)}`, signal);
