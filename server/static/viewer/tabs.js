/**
 * The two ways to see a document: as it is shown (pages, or rendered), and as the service reads it. The second one
 * stays chosen until the first is wanted again.
 */

/** @import { Document } from "../types.js" */

import { byId } from "../dom.js";
import { say } from "../i18n.js";

let wantsText = false;

/** Connects the tabs. @param {() => void} onChoice */
export function startTabs(onChoice) {
  const tabs = [byId("viewer-tab-shown"), byId("viewer-tab-text")];
  /** @param {HTMLElement} tab */
  const take = (tab) => {
    wantsText = tab === tabs[1];
    tell();
    onChoice();
  };
  for (const [at, tab] of tabs.entries()) {
    tab.addEventListener("click", () => take(tab));
    tab.addEventListener("keydown", ({ key }) => {
      if (key !== "ArrowLeft" && key !== "ArrowRight") return;
      tabs[1 - at].focus();
      take(tabs[1 - at]);
    });
  }
}

/**
 * Names the tabs of a document; there is no choice where its text is all that can be shown.
 *
 * @param {Document["view"]} view
 */
export function showTabs(view) {
  byId("viewer-tabs").hidden = view === "text";
  if (view !== "text") say(byId("viewer-tab-shown"), `viewer.tab.${view}`);
  tell();
}

/** How a document is shown. @param {Document["view"]} view */
export const choose = (view) => (wantsText ? "text" : view);

function tell() {
  /** @type {[string, boolean][]} */
  const tabs = [["viewer-tab-shown", !wantsText], ["viewer-tab-text", wantsText]];
  for (const [tab, isChosen] of tabs) {
    byId(tab).setAttribute("aria-selected", String(isChosen));
    byId(tab).tabIndex = isChosen ? 0 : -1;
  }
}
