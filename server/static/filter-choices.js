/**
 * What the documents offer to narrow a question by, and which of them pass. Pure.
 *
 * A filter is `{kind, value, label}`, its kind one of the names on the wire: `folders`, `types`, `tags`, `since`,
 * `until`, `document_ids`. As in the service, each kind must be met, and of several values of a kind one is enough.
 */

/** @import { Choice, DayKind, Document, Filter, FilterKind, ListedKind, WireFilters } from "./types.js" */

/** The kinds that are chosen from a list. @type {ListedKind[]} */
export const LISTED = ["folders", "types", "tags"];

/** Whether two filters are the same. @param {Filter} one @param {Filter} other */
export const isSame = (one, other) => one.kind === other.kind && one.value === other.value;

/** The filters as `POST /ask` takes them; null: none. @param {Filter[]} filters @returns {WireFilters|null} */
export function toWire(filters) {
  if (filters.length === 0) return null;
  /** @param {FilterKind} kind */
  const valuesOf = (kind) => filters.filter((filter) => filter.kind === kind).map(({ value }) => value);
  /** @param {DayKind} kind */
  const day = (kind) => valuesOf(kind)[0] ?? null;
  return {
    folders: valuesOf("folders"),
    types: valuesOf("types"),
    tags: valuesOf("tags"),
    document_ids: valuesOf("document_ids"),
    since: day("since"),
    until: day("until"),
  };
}

/** Whether the service would let a document answer. @param {Filter[]} filters @param {Document} entry */
export function passes(filters, entry) {
  const kinds = new Set(filters.map(({ kind }) => kind));
  return [...kinds].every((kind) => filters.some((filter) => filter.kind === kind && MEETS[kind](entry, filter.value)));
}

/**
 * The filters of a kind that some document meets, each with how many do; most first.
 *
 * @param {ListedKind} kind
 * @param {Document[]} documents
 * @returns {Choice[]}
 */
export function choicesOf(kind, documents) {
  const roots = new Set(documents.map(({ root }) => root));
  /** @type {Map<string, Choice>} */
  const choices = new Map();
  for (const entry of documents) {
    for (const choice of OFFERS[kind](entry, roots.size > 1)) {
      const known = choices.get(choice.value) ?? { kind, ...choice, count: 0 };
      choices.set(choice.value, { ...known, count: known.count + 1 });
    }
  }
  return [...choices.values()].sort((one, other) => other.count - one.count || compare(one.label, other.label));
}

/** @param {string} one @param {string} other */
const compare = (one, other) => (one < other ? -1 : 1);
/** @param {string} tag */
const folded = (tag) => tag.normalize("NFKC").toLowerCase();
/** @param {Document} entry */
const dayOf = ({ date, modified }) => date ?? modified.slice(0, 10);

/** @type {Record<FilterKind, (entry: Document, value: string) => boolean>} */
const MEETS = {
  folders: ({ root, source }, folder) => `${root}/${source}`.startsWith(`${folder}/`),
  types: ({ media_type }, type) => media_type === type,
  tags: ({ tags }, wanted) => tags.some((tag) => folded(tag) === wanted),
  since: (entry, day) => dayOf(entry) >= day,
  until: (entry, day) => dayOf(entry) <= day,
  document_ids: ({ id }, wanted) => id === wanted,
};

/** @type {Record<ListedKind, (entry: Document, areSeveral: boolean) => {value: string, label: string}[]>} */
const OFFERS = {
  folders: foldersOf,
  types: ({ media_type }) => [{ value: media_type, label: media_type }],
  tags: ({ tags }) => [...new Map(tags.map((tag) => [folded(tag), { value: folded(tag), label: `#${tag}` }])).values()],
};

/**
 * The folders that hold a file; with several watched folders, their own names tell which is meant.
 *
 * @param {Document} entry
 * @param {boolean} areSeveral
 */
function foldersOf({ root, source }, areSeveral) {
  const parts = source.split("/").slice(0, -1);
  const name = areSeveral ? [root.split("/").at(-1)] : [];
  const levels = parts.map((_, at) => parts.slice(0, at + 1));
  return [...(areSeveral ? [[]] : []), ...levels].map((below) => ({
    value: [root, ...below].join("/"),
    label: `${[...name, ...below].join("/")}/`,
  }));
}
