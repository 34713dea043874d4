/**
 * The block structure of the Markdown that models write: paragraphs, headings, lists, code, tables, quotes, rules.
 * Pure, no DOM. Each line keeps its place in the source, so that citations, which point into the source, can be put
 * where they belong. What is not understood stays a paragraph: no character is ever lost.
 */

import { CELLS, CODE_INDENT, DELIMITERS, FENCE, HEADING, ITEM, LAST_BAR, QUOTE, RULE } from "./markdown.js";

/**
 * @typedef {{text: string, start: number}} Line `start` is where its text begins in the source, in UTF-16 units.
 * @typedef {{kind: "paragraph"|"code", lines: Line[]}} Text
 * @typedef {{kind: "heading", level: number, lines: Line[]}} Heading
 * @typedef {{kind: "rule"}} Rule
 * @typedef {{kind: "quote", blocks: Block[]}} Quote
 * @typedef {{kind: "table", rows: Line[][]}} Table
 * @typedef {{kind: "list", ordered: boolean, first: number, items: Block[][]}} List
 * @typedef {(Text|Heading|Rule|Quote|Table|List) & {start: number}} Block
 * @typedef {{block: Text|Heading|Rule|Quote|Table|List, next: number}} Reading What was read, and the line after it.
 * @typedef {(lines: Line[], at: number) => Reading} Read
 * @typedef {{starts: (lines: Line[], at: number) => boolean, read: Read}} Kind
 */

/** Parses a whole text. @param {string} source */
export function parseMarkdown(source) {
  let start = 0;
  const lines = source.split("\n").map((text) => {
    const line = { text, start };
    start += text.length + 1;
    return line;
  });
  return parseBlocks(lines);
}

/** @param {Line[]} lines @returns {Block[]} */
function parseBlocks(lines) {
  /** @type {Block[]} */
  const blocks = [];
  for (let at = 0; at < lines.length; ) {
    if (isBlank(lines[at])) {
      at += 1;
      continue;
    }
    const kind = SPECIAL.find((candidate) => candidate.starts(lines, at)) ?? paragraph;
    const { block, next } = kind.read(lines, at);
    blocks.push({ start: lines[at].start, ...block });
    at = next;
  }
  return blocks;
}

/** @param {Line} line */
const isBlank = (line) => line.text.trim() === "";

/** The same line without its first characters. @param {Line} line @param {number} count @returns {Line} */
const cut = (line, count) => ({ text: line.text.slice(count), start: line.start + count });

/** @param {string} text */
const leadOf = (text) => text.length - text.trimStart().length;

/** @param {Line} line */
const indentOf = (line) => leadOf(line.text);

/** @type {Kind} */
const fence = {
  starts: (lines, at) => FENCE.test(lines[at].text),
  read(lines, at) {
    const mark = FENCE.exec(lines[at].text)?.[1] ?? "";
    /** @param {Line} line */
    const closes = (line) => line.text.trim().startsWith(mark) && line.text.trim().replaceAll(mark[0], "") === "";
    let next = at + 1;
    while (next < lines.length && !closes(lines[next])) next += 1;
    return { block: { kind: "code", lines: lines.slice(at + 1, next) }, next: next + 1 };
  },
};

/** @type {Kind} */
const heading = {
  starts: (lines, at) => HEADING.test(lines[at].text),
  read(lines, at) {
    const line = lines[at];
    const { marks = "", gap = "", title = "" } = HEADING.exec(line.text)?.groups ?? {};
    const start = line.start + indentOf(line) + marks.length + gap.length;
    const text = { text: title, start };
    return { block: { kind: "heading", level: marks.length, lines: [text] }, next: at + 1 };
  },
};

/** @type {Kind} */
const rule = {
  starts: (lines, at) => RULE.test(lines[at].text),
  read: (_lines, at) => ({ block: { kind: "rule" }, next: at + 1 }),
};

/** @type {Kind} */
const quote = {
  starts: (lines, at) => QUOTE.test(lines[at].text),
  read(lines, at) {
    let next = at;
    while (next < lines.length && QUOTE.test(lines[next].text)) next += 1;
    const inner = lines.slice(at, next).map((line) => cut(line, QUOTE.exec(line.text)?.[0].length ?? 0));
    return { block: { kind: "quote", blocks: parseBlocks(inner) }, next };
  },
};

/** @type {Kind} */
const table = {
  starts: (lines, at) => lines[at].text.includes("|") && at + 1 < lines.length && isDelimiterRow(lines[at + 1]),
  read(lines, at) {
    let next = at + 2;
    while (next < lines.length && lines[next].text.includes("|")) next += 1;
    const rows = [lines[at], ...lines.slice(at + 2, next)].map(cells);
    return { block: { kind: "table", rows }, next };
  },
};

/** @param {Line} line */
const isDelimiterRow = (line) => line.text.includes("|") && DELIMITERS.test(line.text);

/** @param {Line} line */
function cells(line) {
  /** @type {Line[]} */
  const found = [];
  const inner = line.text.replace(LAST_BAR, "");
  for (const match of inner.matchAll(CELLS)) {
    const [cell] = match;
    if (match.index === 0 && cell.trim() === "") continue;
    found.push({ text: cell.trim(), start: line.start + match.index + leadOf(cell) });
  }
  return found;
}

/** @type {Kind} */
const list = {
  starts: (lines, at) => ITEM.test(lines[at].text) && indentOf(lines[at]) < CODE_INDENT,
  read(lines, at) {
    const ordered = isOrdered(lines[at]);
    const indent = indentOf(lines[at]);
    /** @type {{marker: number, lines: Line[]}[]} */
    const items = [];
    let next = at;
    for (; next < lines.length; next += 1) {
      const line = lines[next];
      if (isBlank(line)) {
        const following = lines.slice(next).find((later) => !isBlank(later));
        if (!following || !(indentOf(following) > indent + 1 || isItem(following, indent, ordered))) break;
        items[items.length - 1].lines.push(line);
      } else if (isItem(line, indent, ordered)) {
        const marker = markerOf(line);
        items.push({ marker, lines: [cut(line, marker)] });
      } else if (indentOf(line) > indent + 1) {
        const item = items[items.length - 1];
        item.lines.push(cut(line, Math.min(indentOf(line), item.marker)));
      } else if (isBlank(lines[next - 1]) || startsBlock(lines, next)) {
        break;
      } else {
        items[items.length - 1].lines.push(line);
      }
    }
    const first = Number.parseInt(lines[at].text.trim(), 10);
    return { block: { kind: "list", ordered, first, items: items.map((item) => parseBlocks(item.lines)) }, next };
  },
};

/** The length of a line's sign of a list item, with the white space around it. @param {Line} line */
const markerOf = (line) => ITEM.exec(line.text)?.[0].length ?? 0;

/** @param {Line} line */
const isOrdered = (line) => /^\s*\d/.test(line.text);

/**
 * Whether a line is the next item of a list of this kind and depth.
 *
 * @param {Line} line
 * @param {number} indent
 * @param {boolean} ordered
 */
const isItem = (line, indent, ordered) =>
  ITEM.test(line.text) && !RULE.test(line.text) && indentOf(line) <= indent + 1 && isOrdered(line) === ordered;

/** The kinds of block that begin with a sign of their own, in the order in which they are tried. */
const SPECIAL = [fence, heading, rule, table, quote, list];

/** @param {Line[]} lines @param {number} at */
const startsBlock = (lines, at) => SPECIAL.some((kind) => kind.starts(lines, at));

/** @type {{read: Read}} */
const paragraph = {
  read(lines, at) {
    let next = at + 1;
    while (next < lines.length && !isBlank(lines[next]) && !startsBlock(lines, next)) next += 1;
    return { block: { kind: "paragraph", lines: lines.slice(at, next) }, next };
  },
};
