/**
 * How questions are asked, beside their filters: how thoroughly, with how much thinking, and, for the next one, as what
 * kind. And whether a single key leads to the question box: it is in the way of who speaks to a computer (WCAG 2.1.4).
 */

/** @import { AskOptions } from "./types.js" */

import { BoxPanel } from "./box-panel.js";
import { byId } from "./dom.js";
import { onLanguageChange, store, stored, words } from "./i18n.js";

const SHORTCUT_KEY = "r1-kb-shortcut";

/** What is chosen once and kept; the first choice of each is the usual one. @type {("effort"|"thinking")[]} */
const KEPT = ["effort", "thinking"];

/** Connects the panel. */
export function startOptions() {
  new BoxPanel("options");
  for (const name of KEPT) {
    for (const choice of choicesOf(name)) choice.checked ||= choice.value === stored(`r1-kb-${name}`);
    byId(name).addEventListener("change", () => store(`r1-kb-${name}`, chosenOf(name)));
  }
  byId("shortcut").checked = stored(SHORTCUT_KEY) !== "off";
  byId("shortcut").addEventListener("change", () => store(SHORTCUT_KEY, hasShortcut() ? "on" : "off"));
  byId("options-panel").addEventListener("change", tell);
  onLanguageChange(tell);
}

/** Offers the choice of thinking, where the answering model thinks at all. @param {boolean} reasons */
export function offerThinking(reasons) {
  byId("thinking").hidden = !reasons;
  tell();
}

/** How long the model may think, where it does. */
export const thinkingOption = () => (byId("thinking").hidden ? {} : { thinking: chosenOf("thinking") });

/**
 * What the next question is to be asked with: the kind is chosen for it alone; what is usual is not named, but as the
 * service is set.
 *
 * @returns {AskOptions}
 */
export function takeOptions() {
  const kind = byId("kind").value;
  byId("kind").value = "";
  tell();
  return { ...(isUsual("effort") ? {} : { effort: chosenOf("effort") }), ...(kind && { kind }) };
}

/** Whether a single key leads to the question box. */
export const hasShortcut = () => byId("shortcut").checked;

/** Calls back when that changes. @param {() => void} listener */
export function onShortcut(listener) {
  byId("shortcut").addEventListener("change", listener);
}

/** @param {string} name @returns {NodeListOf<HTMLInputElement>} */
const choicesOf = (name) => byId(name).querySelectorAll("input");

/** @param {string} name */
const chosenOf = (name) => [...choicesOf(name)].find(({ checked }) => checked)?.value ?? "";

/** @param {string} name */
const isUsual = (name) => choicesOf(name)[0].checked;

/** Says on the button what is chosen that is not usual. */
function tell() {
  const unusual = KEPT.filter((name) => !byId(name).hidden && !isUsual(name));
  const keys = unusual.map((name) => `${name}.chosen.${chosenOf(name)}`);
  const kind = byId("kind").value;
  const chosen = [...keys, ...(kind ? [`kind.${kind}`] : [])].map((key) => words(key));
  const button = byId("options-button");
  button.toggleAttribute("data-on", chosen.length > 0);
  button.setAttribute("aria-label", [words("options.title"), ...chosen].join(" · "));
  byId("options-chosen").textContent = chosen.join(" · ");
}
