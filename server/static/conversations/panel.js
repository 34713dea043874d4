/** The conversations that are kept, in a panel: found, opened, renamed, exported, deleted. */

/** @import { Conversation, ListedConversation } from "../types.js" */

import { asProblem } from "../api.js";
import { announce, byId, element, icon, problem } from "../dom.js";
import { formatMoment, onLanguageChange, say, sayAttribute, words } from "../i18n.js";
import { deleteConversation, exportConversation, getConversation } from "./api.js";
import { listConversations, renameConversation } from "./api.js";
import { currentConversation, goOnWith } from "./keeping.js";

const WAIT_MS = 200;
let timer = 0;

/** Connects the panel. @param {(conversation: Conversation) => void} onOpen Hears which one is to be shown. */
export function startConversations(onOpen) {
  const panel = byId("conversations-panel");
  const refresh = () => load(onOpen);
  panel.addEventListener("toggle", () => panel.matches(":popover-open") && refresh());
  byId("conversations-search").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, WAIT_MS);
  });
  onLanguageChange(() => panel.matches(":popover-open") && refresh());
}

/** @param {(conversation: Conversation) => void} onOpen */
async function load(onOpen) {
  const list = byId("conversations-list");
  const query = byId("conversations-search").value.trim();
  try {
    const { conversations, keeps } = await listConversations(query);
    list.replaceChildren(...conversations.map((each) => row(each, onOpen)));
    byId("conversations-search").hidden = conversations.length === 0 && !query;
    byId("conversations-off").hidden = keeps;
    if (conversations.length === 0 && keeps) list.append(say(element("li", { class: "muted" }), emptyKey(query)));
  } catch (error) {
    list.replaceChildren(element("li", {}, problem(asProblem(error))));
  }
}

/** @param {string} query */
const emptyKey = (query) => (query ? "conversations.none" : "conversations.empty");

/** @param {ListedConversation} conversation @param {(conversation: Conversation) => void} onOpen */
function row(conversation, onOpen) {
  const { id, title, changed_at, turns } = conversation;
  const node = element("li", { class: "conversation" });
  const open = () =>
    trying(node, async () => {
      onOpen(await getConversation(id));
      byId("conversations-panel").hidePopover();
    });
  const isShown = id === currentConversation() ? "true" : null;
  const name = element(
    "button",
    { type: "button", class: "conversation-name", "aria-current": isShown, click: open },
    element("span", { class: "conversation-title" }, title || words("conversations.untitled")),
    say(element("span", { class: "meta" }), "conversations.meta", { n: turns, date: formatMoment(changed_at) }),
  );
  node.append(
    name,
    action("rename", title, () => rename(node, name, conversation, () => load(onOpen))),
    action("export", title, () => trying(node, () => download(id, title))),
    deleteButton(node, conversation),
  );
  return node;
}

/** @param {"rename"|"export"|"delete"} kind @param {string} title @param {() => void} click */
function action(kind, title, click) {
  const button = element("button", { type: "button", class: "quiet", click }, icon(kind));
  sayAttribute(button, "title", `conversations.${kind}`, { title });
  return sayAttribute(button, "aria-label", `conversations.${kind}`, { title });
}

/**
 * Deletes at the second click; the first one asks.
 *
 * @param {HTMLElement} node
 * @param {ListedConversation} conversation
 */
function deleteButton(node, { id, title }) {
  const button = action("delete", title, () => {
    if (!("sure" in button.dataset)) {
      button.dataset.sure = "";
      say(button, "conversations.delete.sure");
      sayAttribute(button, "aria-label", "conversations.delete.sure");
      return;
    }
    trying(node, async () => {
      await deleteConversation(id);
      if (currentConversation() === id) goOnWith(null);
      const next = node.nextElementSibling ?? node.previousElementSibling;
      node.remove();
      const target = next?.querySelector("button") ?? byId("conversations-search");
      if (target instanceof HTMLElement) target.focus();
      announce(words("conversations.deleted"));
    });
  });
  return button;
}

/**
 * @param {HTMLElement} node
 * @param {HTMLElement} name What makes room for the field.
 * @param {ListedConversation} conversation
 * @param {() => void} onDone
 */
function rename(node, name, { id, title }, onDone) {
  const field = element("input", { type: "text", value: title, maxlength: 200, class: "conversation-field" });
  sayAttribute(field, "aria-label", "conversations.rename", { title });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing && field.value.trim()) {
      trying(node, async () => {
        await renameConversation(id, field.value.trim());
        onDone();
      });
    } else if (event.key === "Escape") {
      event.preventDefault(); // else the whole panel closes
      field.replaceWith(name);
      name.focus();
    }
  });
  name.replaceWith(field);
  field.select();
}

/** @param {string} id @param {string} title */
async function download(id, title) {
  const address = URL.createObjectURL(await exportConversation(id));
  const name = (title || id).replaceAll(/[^\p{L}\p{N}]+/gu, " ").trim().slice(0, 80);
  element("a", { href: address, download: `${name || id}.md` }).click();
  URL.revokeObjectURL(address);
}

/** @param {HTMLElement} node Where a failure is shown. @param {() => Promise<unknown>} work */
async function trying(node, work) {
  try {
    await work();
  } catch (error) {
    node.querySelector(".problem")?.remove();
    node.append(problem(asProblem(error)));
  }
}
