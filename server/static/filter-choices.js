/**
 * What the documents offer to narrow a question by, and which of them pass. Pure.
 *
 * A filter is `{kind, value, label}`, its kind one of the names on the wire: `folders`, `types`, `tags`, `since`,
 * `until`, `document_ids`. As in the service, each kind must be met, and of several values of a kind one is enough.
 */

/** The kinds that are chosen from a list. */
export const LISTED = ["folders", "types", "tags"];

/** Whether two filters are the same. */
export const isSame = (one, other) => one.kind === other.kind && one.value === other.value;

/** The filters as `POST /ask` takes them; null: none. */
export function toWire(filters) {
  if (filters.length === 0) return null;
  const valuesOf = (kind) => filters.filter((filter) => filter.kind === kind).map(({ value }) => value);
  const dayOf = (kind) => valuesOf(kind)[0] ?? null;
  const lists = [...LISTED, "document_ids"].map((kind) => [kind, valuesOf(kind)]);
  return { ...Object.fromEntries(lists), since: dayOf("since"), until: dayOf("until") };
}

/** Whether the service would let a document answer. */
export function passes(filters, entry) {
  const kinds = new Set(filters.map(({ kind }) => kind));
  return [...kinds].every((kind) => filters.some((filter) => filter.kind === kind && MEETS[kind](entry, filter.value)));
}

/** The filters of a kind that some document meets, each with how many do; most first. */
export function choicesOf(kind, documents) {
  const roots = new Set(documents.map(({ root }) => root));
  const choices = new Map();
  for (const entry of documents) {
    for (const choice of OFFERS[kind](entry, roots.size > 1)) {
      const known = choices.get(choice.value) ?? { kind, ...choice, count: 0 };
      choices.set(choice.value, { ...known, count: known.count + 1 });
    }
  }
  return [...choices.values()].sort((one, other) => other.count - one.count || compare(one.label, other.label));
}

const compare = (one, other) => (one < other ? -1 : 1);
const folded = (tag) => tag.normalize("NFKC").toLowerCase();
const dayOf = ({ date, modified }) => date ?? modified.slice(0, 10);

const MEETS = {
  folders: ({ root, source }, folder) => `${root}/${source}`.startsWith(`${folder}/`),
  types: ({ media_type }, type) => media_type === type,
  tags: ({ tags }, wanted) => tags.some((tag) => folded(tag) === wanted),
  since: (entry, day) => dayOf(entry) >= day,
  until: (entry, day) => dayOf(entry) <= day,
  document_ids: ({ id }, wanted) => id === wanted,
};

const OFFERS = {
  folders: foldersOf,
  types: ({ media_type }) => [{ value: media_type, label: media_type }],
  tags: ({ tags }) => [...new Map(tags.map((tag) => [folded(tag), { value: folded(tag), label: `#${tag}` }])).values()],
};

/** The folders that hold a file; with several watched folders, their own names tell which is meant. */
function foldersOf({ root, source }, areSeveral) {
  const parts = source.split("/").slice(0, -1);
  const name = areSeveral ? [root.split("/").at(-1)] : [];
  const levels = parts.map((_, at) => parts.slice(0, at + 1));
  return [...(areSeveral ? [[]] : []), ...levels].map((below) => ({
    value: [root, ...below].join("/"),
    label: `${[...name, ...below].join("/")}/`,
  }));
}
