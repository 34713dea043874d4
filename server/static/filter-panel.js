/**
 * The panel in the question box that offers filters, and the chips of those that are on. Offers only what some document
 * meets; of long lists the largest, and the rest by a search.
 */

/** @import { Choice, DayKind, Filter, ListedKind } from "./types.js" */

import { BoxPanel } from "./box-panel.js";
import { announce, byId, element, icon, keepingFocus } from "./dom.js";
import { LISTED, choicesOf, passes } from "./filter-choices.js";
import { activeFilters, isActive, nameOf, onFilters, setDay, setFilters, toggleFilter } from "./filters.js";
import { onLanguageChange, say, sayAttribute, words } from "./i18n.js";
import { isComplete, knownDocuments, onDocuments, wantDocuments } from "./document-list.js";

const SHOWN_AT_FIRST = 8;
/** @type {DayKind[]} */
const DAYS = ["since", "until"];
/** @type {BoxPanel} */
let panel;

/** Connects button, panel and chips. */
export function startFilters() {
  byId("filter-groups").append(...LISTED.map(makeGroup));
  panel = new BoxPanel(
    "filter",
    () => {
      wantDocuments("filters", Infinity); // what they offer is made from all of them
      render();
    },
    () => wantDocuments("filters", 0),
  );
  byId("filter-clear").addEventListener("click", () => {
    setFilters([]);
    panel.node.focus({ preventScroll: true });
  });
  for (const kind of DAYS) byId(`filter-${kind}`).addEventListener("change", () => takeDay(kind));
  onDocuments(render);
  onLanguageChange(render);
  onFilters(() => {
    render();
    if (isComplete()) announce(countWords());
  });
}

/** @param {DayKind} kind */
function takeDay(kind) {
  const field = byId(`filter-${kind}`);
  if (field.reportValidity()) setDay(kind, field.value);
}

/** @param {ListedKind} kind */
function makeGroup(kind) {
  const title = say(element("legend"), `filter.${kind}`);
  const search = element("input", { type: "search", autocomplete: "off", input: () => renderGroup(kind) });
  sayAttribute(search, "placeholder", `filter.${kind}.search`);
  sayAttribute(search, "aria-label", `filter.${kind}.search`);
  const attributes = { class: "filter-group", "data-kind": kind };
  return element("fieldset", attributes, title, search, element("div", { class: "options" }));
}

function render() {
  const filters = activeFilters();
  byId("filter-button").hidden = knownDocuments().length < 2 && filters.length === 0;
  byId("filter-button").toggleAttribute("data-on", filters.length > 0);
  keepingFocus(() => byId("filter-chips").replaceChildren(...filters.map(chip)));
  byId("filter-chips").hidden = filters.length === 0;
  if (!panel.isOpen) return;
  byId("filter-count").textContent = isComplete() ? countWords() : "";
  byId("filter-clear").hidden = filters.length === 0;
  for (const kind of DAYS) byId(`filter-${kind}`).value = filters.find((filter) => filter.kind === kind)?.value ?? "";
  byId("filter-since").max = byId("filter-until").value;
  byId("filter-until").min = byId("filter-since").value;
  LISTED.forEach(renderGroup);
}

/** Shows what a kind offers; a kind that all documents share is no choice. @param {ListedKind} kind */
function renderGroup(kind) {
  /** @type {HTMLElement|null} */
  const group = byId("filter-groups").querySelector(`[data-kind="${kind}"]`);
  const search = group?.querySelector("input");
  if (!group || !search) return;
  const choices = choicesOf(kind, knownDocuments());
  search.hidden = choices.length <= SHOWN_AT_FIRST;
  const wanted = search.hidden ? "" : search.value.trim().toLowerCase();
  const found = choices.filter((choice) => nameOf(choice).toLowerCase().includes(wanted));
  /** @type {HTMLElement[]} */
  const shown = found.slice(0, SHOWN_AT_FIRST).map(option);
  const others = found.length - shown.length;
  if (others) shown.push(say(element("span", { class: "meta" }), "filter.others", { n: others }));
  if (found.length === 0) shown.push(say(element("span", { class: "meta" }), "filter.none"));
  group.hidden = !choices.some((choice) => choice.count < knownDocuments().length || isActive(choice));
  keepingFocus(() => group.querySelector(".options")?.replaceChildren(...shown));
}

/** @param {Choice} choice */
function option(choice) {
  const { kind, value, count } = choice;
  const toggle = () => toggleFilter({ kind, value, label: choice.label });
  return element(
    "button",
    {
      type: "button",
      class: "option",
      "aria-pressed": String(isActive(choice)),
      "data-focus": `option ${kind} ${value}`,
      click: toggle,
    },
    nameOf(choice),
    element("span", { class: "count" }, String(count)),
  );
}

/** @param {Filter} filter */
function chip(filter) {
  const name = nameOf(filter);
  const remove = element("button", { type: "button", click: () => removeChip(filter) }, icon("close"));
  sayAttribute(remove, "aria-label", "filter.remove", { name });
  return element("li", { class: "filter-chip" }, element("span", { title: name }, name), remove);
}

/** @param {Filter} filter */
function removeChip(filter) {
  const at = activeFilters().indexOf(filter);
  setFilters(activeFilters().filter((other) => other !== filter));
  const left = byId("filter-chips").querySelectorAll("button");
  (left[Math.min(at, left.length - 1)] ?? byId("question")).focus({ preventScroll: true });
}

function countWords() {
  const total = knownDocuments().length;
  const n = knownDocuments().filter((entry) => passes(activeFilters(), entry)).length;
  return words("filter.count", { n, total });
}
