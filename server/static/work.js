/**
 * How far long work is: a bar over the documents while files are read or a new search index is made, and nothing at
 * all when nothing goes on. The nodes stay the same, so that the bar grows instead of being drawn anew.
 */

/** @import { IndexStatus, Work } from "./types.js" */

import { byId } from "./dom.js";
import { formatNumber, onLanguageChange, words } from "./i18n.js";

/** @type {IndexStatus|null} */
let index = null;

/** Shows the work again in the other language. */
export function startWork() {
  onLanguageChange(render);
}

/** Takes a new state of the index. @param {IndexStatus} newIndex */
export function showWork(newIndex) {
  index = newIndex;
  render();
}

/**
 * How far indexing, or the new index, is: `done`, `total`, and a line that says it; null when nothing goes on.
 *
 * @param {IndexStatus} index
 */
function progress({ work, building }) {
  if (work) {
    const values = { done: formatNumber(work.files_done), total: formatNumber(work.files_total) };
    return { done: work.files_done, total: work.files_total, line: join(words("work.files", values), timeLeft(work)) };
  }
  if (!building) return null;
  const values = { done: formatNumber(building.done), total: formatNumber(building.total ?? 0) };
  return { done: building.done, total: building.total, line: words("work.building", values) };
}

function render() {
  const current = index && progress(index);
  byId("work").hidden = !current;
  byId("documents-toggle").toggleAttribute("data-busy", Boolean(current));
  if (!current) return;
  const bar = byId("work-bar");
  bar.max = current.total || 1;
  bar.value = current.done;
  bar.setAttribute("aria-label", current.line);
  byId("work-line").textContent = current.line;
  byId("work-current").textContent = (index?.work && index.current) || "";
  byId("work-rates").textContent = index?.work ? rates(index.work) : words("work.building.text");
}

/** @param {Work} work */
function rates({ files_per_second, chunks_per_second }) {
  return words("work.rates", { files: formatRate(files_per_second), chunks: formatRate(chunks_per_second) });
}

/** @param {number} rate */
const formatRate = (rate) => (rate < 10 ? rate.toFixed(1) : formatNumber(Math.round(rate)));

/** As exact as it is known: in steps of five seconds, in minutes, in hours. @param {Work} work */
function timeLeft({ seconds_left: seconds }) {
  if (seconds === null) return "";
  if (seconds < 55) return words("work.left.seconds", { n: Math.max(5, 5 * Math.round(seconds / 5)) });
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return words("work.left.minutes", { n: minutes });
  return words("work.left.hours", { n: Math.round(minutes / 60) });
}

/** @param {...string} parts */
const join = (...parts) => parts.filter(Boolean).join(" · ");
