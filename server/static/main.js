/**
 * Puts the parts of the page together: keyboard, language, the drawer of documents on narrow screens, and what follows
 * from a new status. Holds no knowledge of its own.
 */

/** @import { Status } from "./types.js" */

import { showConversation, startAsking, stopAsking } from "./ask.js";
import { closePanels } from "./box-panel.js";
import { startChanges } from "./changes.js";
import { startConversations } from "./conversations/panel.js";
import { HAS_KEYBOARD, WIDE, byId } from "./dom.js";
import { startFilters } from "./filter-panel.js";
import { showCurrent, startDocuments } from "./documents.js";
import { switchLanguage, translatePage } from "./i18n.js";
import { reloadDocuments } from "./document-list.js";
import { hasShortcut, offerThinking, startOptions } from "./options.js";
import { startLinks } from "./links.js";
import { showFailure, showStatus, startStatus } from "./status.js";
import { startUploads } from "./uploads.js";
import { closeViewer, startViewer } from "./viewer/viewer.js";
import { showWork, startWork } from "./work.js";

/** @param {Status} status */
function takeStatus(status) {
  showStatus(status);
  offerThinking(status.models.answer.reasons);
  showCurrent(status);
  showWork(status.index);
}

function startKeyboard() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeTopmost(event);
    else if (isQuestionKey(event)) {
      event.preventDefault();
      byId("question").focus();
    }
  });
}

/** @param {KeyboardEvent} event */
function closeTopmost(event) {
  if (event.isComposing || document.querySelector("dialog:modal, [popover]:popover-open")) return;
  if (closePanels()) return;
  if (byId("viewer").open) closeViewer();
  else if ("open" in byId("documents").dataset) showDrawer(false);
  else stopAsking();
}

/** @param {KeyboardEvent} event */
function isQuestionKey({ key, code, target, ctrlKey, metaKey, altKey }) {
  const isSlash = key === "/" || (code === "Slash" && key === "、");
  const isWriting = target instanceof Element && target.matches("input:not([type=radio]), textarea, select");
  const isFree = !isWriting && !document.querySelector("dialog:modal");
  return hasShortcut() && isSlash && !ctrlKey && !metaKey && !altKey && isFree;
}

function startDrawer() {
  byId("documents-toggle").addEventListener("click", () => showDrawer(!("open" in byId("documents").dataset)));
  byId("documents-close").addEventListener("click", () => showDrawer(false));
  document.addEventListener("click", ({ target }) => {
    if (target === document.body || target === document.documentElement) showDrawer(false);
  });
  WIDE.addEventListener("change", () => showDrawer(false));
}

/**
 * On narrow screens the documents lie over the conversation; then nothing below them can be reached.
 *
 * @param {boolean} isOpen
 */
function showDrawer(isOpen) {
  const panel = byId("documents");
  if (isOpen === "open" in panel.dataset) return;
  panel.toggleAttribute("data-open", isOpen);
  byId("main").inert = isOpen;
  byId("documents-toggle").setAttribute("aria-expanded", String(isOpen));
  (isOpen ? panel : byId("documents-toggle")).focus();
}

function showQuestion() {
  showDrawer(false);
  byId("question").focus({ preventScroll: true });
}

byId("language").addEventListener("click", switchLanguage);
startKeyboard();
startDrawer();
startViewer();
startOptions();
startAsking();
startConversations(showConversation);
startDocuments(showQuestion);
startFilters();
startWork();
startUploads();
startStatus();
translatePage();
startChanges({ onStatus: takeStatus, onDocuments: reloadDocuments, onFailure: showFailure });
if (HAS_KEYBOARD) byId("question").focus({ preventScroll: true });
startLinks();
