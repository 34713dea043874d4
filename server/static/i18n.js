/**
 * The language of the page: chosen by the reader, else the browser's. A node that says a message remembers which one,
 * so that `setLanguage` can say everything again in the other language; what holds dates or sizes listens instead.
 */

/** @import { Values } from "./types.js" */

import { MESSAGES } from "./messages.js";

const STORAGE_KEY = "r1-kb-language";
/** @type {Record<string, string>} */
const HTML_LANGUAGE = { en: "en", zh: "zh-CN" };
const ATTRIBUTES = ["aria-label", "placeholder", "title"];
/** @type {(() => void)[]} */
const listeners = [];
let language = stored(STORAGE_KEY) ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

/** Reads a remembered choice; null where the browser keeps none, or forbids it. @param {string} key */
export function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Remembers a choice as far as the browser allows it. @param {string} key @param {string} value */
export function store(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

/** The tag of the current language for `lang` and for formatting: `en` or `zh-CN`. */
export function languageTag() {
  return HTML_LANGUAGE[language];
}

/** The words of a message in the current language. @param {string} key @param {Values} values */
export function words(key, values = {}) {
  const message = MESSAGES[language][key];
  if (typeof message === "function") return message(values);
  return message.replace(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));
}

/** Whether there is a message of this key. @param {string} key */
export function hasWords(key) {
  return Object.hasOwn(MESSAGES.en, key);
}

/**
 * Makes a node say a message, and say it again when the language changes.
 *
 * @template {HTMLElement} Node
 * @param {Node} node
 * @param {string} key
 * @param {Values} values
 */
export function say(node, key, values = {}) {
  node.dataset.i18n = key;
  node.dataset.i18nValues = JSON.stringify(values);
  node.textContent = words(key, values);
  return node;
}

/**
 * Makes an attribute (`aria-label`, `placeholder` or `title`) say a message, now and after a change of language.
 *
 * @template {HTMLElement} Node
 * @param {Node} node
 * @param {string} attribute
 * @param {string} key
 * @param {Values} values
 */
export function sayAttribute(node, attribute, key, values = {}) {
  node.setAttribute(`data-i18n-${attribute}`, key);
  node.dataset.i18nValues = JSON.stringify(values);
  node.setAttribute(attribute, words(key, values));
  return node;
}

/** Calls back after each change of language. @param {() => void} listener */
export function onLanguageChange(listener) {
  listeners.push(listener);
}

/** Switches between the two languages and remembers it. */
export function switchLanguage() {
  language = language === "zh" ? "en" : "zh";
  store(STORAGE_KEY, language);
  translatePage();
}

/** Says everything on the page in the current language. */
export function translatePage() {
  document.documentElement.lang = languageTag();
  document.title = words("title");
  /** @param {HTMLElement} node @returns {Values} */
  const valuesOf = (node) => JSON.parse(node.dataset.i18nValues ?? "{}");
  for (const node of nodesWith("data-i18n")) node.textContent = words(node.dataset.i18n ?? "", valuesOf(node));
  for (const attribute of ATTRIBUTES) {
    const name = `data-i18n-${attribute}`;
    for (const node of nodesWith(name)) {
      node.setAttribute(attribute, words(node.getAttribute(name) ?? "", valuesOf(node)));
    }
  }
  for (const listener of listeners) listener();
}

/** @param {string} attribute @returns {NodeListOf<HTMLElement>} */
const nodesWith = (attribute) => document.querySelectorAll(`[${attribute}]`);

/**
 * A date in the reader's language; of a day without a time, the day itself in every time zone.
 *
 * @param {string} value
 */
export function formatDate(value, withTime = false) {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) return String(value);
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(value);
  /** @type {Intl.DateTimeFormatOptions} */
  const style = { dateStyle: "medium", ...(withTime && { timeStyle: "short" }), ...(isDay && { timeZone: "UTC" }) };
  return new Intl.DateTimeFormat(languageTag(), style).format(date);
}

/** A moment in the reader's language: of today, the time alone. @param {string} value */
export function formatMoment(value) {
  const date = new Date(value);
  if (date.toDateString() !== new Date().toDateString()) return formatDate(value, true);
  return new Intl.DateTimeFormat(languageTag(), { timeStyle: "short" }).format(date);
}

/** A whole number with its thousands apart. @param {number} value */
export function formatNumber(value) {
  return new Intl.NumberFormat(languageTag()).format(value);
}

/** A size in bytes with a fitting unit. @param {number} bytes */
export function formatBytes(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${value.toFixed(power > 1 && value < 100 ? 1 : 0)} ${units[power]}`;
}

/** Milliseconds as seconds, with one decimal below ten. @param {number} milliseconds */
export function formatSeconds(milliseconds) {
  const seconds = milliseconds / 1000;
  return seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds).toString();
}
