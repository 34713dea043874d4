/**
 * The filters that the next question is asked with, and their names. They stay until they are removed, or a new
 * conversation begins.
 */

/** @import { DayKind, Document, Filter } from "./types.js" */

import { isSame } from "./filter-choices.js";
import { formatDate, hasWords, words } from "./i18n.js";

/** @type {(() => void)[]} */
const listeners = [];
/** @type {Filter[]} */
let active = [];

/** The filters that are on. */
export function activeFilters() {
  return active;
}

/** Calls back after each change. @param {() => void} listener */
export function onFilters(listener) {
  listeners.push(listener);
}

/** Replaces all filters. @param {Filter[]} filters */
export function setFilters(filters) {
  active = filters;
  for (const listener of listeners) listener();
}

/** Whether a filter is on. @param {Filter} filter */
export function isActive(filter) {
  return active.some((other) => isSame(filter, other));
}

/** Turns a filter on, or off if it is on. @param {Filter} filter */
export function toggleFilter(filter) {
  const others = active.filter((other) => !isSame(filter, other));
  setFilters(others.length < active.length ? others : [...active, filter]);
}

/**
 * Sets the first or last day that counts; an empty one takes the filter away.
 *
 * @param {DayKind} kind
 * @param {string} value
 */
export function setDay(kind, value) {
  const others = active.filter((filter) => filter.kind !== kind);
  setFilters(value ? [...others, { kind, value }] : others);
}

/** The filter that only this document passes. @param {Pick<Document, "id"|"title">} entry @returns {Filter} */
export function onlyFilter({ id, title }) {
  return { kind: "document_ids", value: id, label: title };
}

/** What a filter is called on the page. @param {Filter} filter @returns {string} */
export function nameOf({ kind, value, label }) {
  if (kind === "since" || kind === "until") return words(`filter.${kind}.day`, { day: formatDate(value) });
  return hasWords(`filter.type.${value}`) ? words(`filter.type.${value}`) : (label ?? value);
}
