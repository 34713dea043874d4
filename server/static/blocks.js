/**
 * The block structure of the Markdown that models write: paragraphs, headings, lists, code, tables, quotes, rules.
 * Pure, no DOM. Each line keeps its place in the source, so that citations, which point into the source, can be put
 * where they belong. What is not understood stays a paragraph: no character is ever lost.
 */

const FENCE = /^\s{0,3}(`{3,}|~{3,})\s*([\w+#.-]*)\s*$/;
const HEADING = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/;
const QUOTE = /^\s{0,3}>\s?/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])(\s+)(?=\S)/;
const DELIMITERS = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const CODE_INDENT = 4;

/**
 * @typedef {{text: string, start: number}} Line `start` is where its text begins in the source, in UTF-16 units.
 * @typedef {{kind: string, start: number, lines?: Line[], items?: Block[][], blocks?: Block[], rows?: Line[][],
 *   ordered?: boolean, first?: number, level?: number}} Block
 */

/** Parses a whole text. */
export function parseMarkdown(source) {
  let start = 0;
  const lines = source.split("\n").map((text) => {
    const line = { text, start };
    start += text.length + 1;
    return line;
  });
  return parseBlocks(lines);
}

function parseBlocks(lines) {
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

const isBlank = (line) => line.text.trim() === "";

/** The same line without its first characters. */
const cut = (line, count) => ({ text: line.text.slice(count), start: line.start + count });

const indentOf = (line) => /^\s*/.exec(line.text)[0].length;

const fence = {
  starts: (lines, at) => FENCE.test(lines[at].text),
  read(lines, at) {
    const mark = FENCE.exec(lines[at].text)[1];
    const closes = (line) => line.text.trim().startsWith(mark) && line.text.trim().replaceAll(mark[0], "") === "";
    let next = at + 1;
    while (next < lines.length && !closes(lines[next])) next += 1;
    return { block: { kind: "code", lines: lines.slice(at + 1, next) }, next: next + 1 };
  },
};

const heading = {
  starts: (lines, at) => HEADING.test(lines[at].text),
  read(lines, at) {
    const line = lines[at];
    const [, marks, title] = HEADING.exec(line.text);
    const offset = line.text.indexOf(marks) + marks.length;
    const start = offset + /^\s*/.exec(line.text.slice(offset))[0].length;
    const text = { text: title, start: line.start + start };
    return { block: { kind: "heading", level: marks.length, lines: [text] }, next: at + 1 };
  },
};

const rule = {
  starts: (lines, at) => RULE.test(lines[at].text),
  read: (lines, at) => ({ block: { kind: "rule" }, next: at + 1 }),
};

const quote = {
  starts: (lines, at) => QUOTE.test(lines[at].text),
  read(lines, at) {
    let next = at;
    while (next < lines.length && QUOTE.test(lines[next].text)) next += 1;
    const inner = lines.slice(at, next).map((line) => cut(line, QUOTE.exec(line.text)[0].length));
    return { block: { kind: "quote", blocks: parseBlocks(inner) }, next };
  },
};

const table = {
  starts: (lines, at) => lines[at].text.includes("|") && at + 1 < lines.length && isDelimiterRow(lines[at + 1]),
  read(lines, at) {
    let next = at + 2;
    while (next < lines.length && lines[next].text.includes("|")) next += 1;
    const rows = [lines[at], ...lines.slice(at + 2, next)].map(cells);
    return { block: { kind: "table", rows }, next };
  },
};

const isDelimiterRow = (line) => line.text.includes("|") && DELIMITERS.test(line.text);

function cells(line) {
  const found = [];
  const inner = line.text.replace(/\|\s*$/, "");
  for (const match of inner.matchAll(/(?:\\\||[^|])+/g)) {
    const lead = /^\s*/.exec(match[0])[0].length;
    if (match.index === 0 && match[0].trim() === "") continue;
    found.push({ text: match[0].trim(), start: line.start + match.index + lead });
  }
  return found;
}

const list = {
  starts: (lines, at) => ITEM.test(lines[at].text) && indentOf(lines[at]) < CODE_INDENT,
  read(lines, at) {
    const ordered = isOrdered(lines[at]);
    const indent = indentOf(lines[at]);
    const items = [];
    let next = at;
    for (; next < lines.length; next += 1) {
      const line = lines[next];
      if (isBlank(line)) {
        const following = lines.slice(next).find((later) => !isBlank(later));
        if (!following || !(indentOf(following) > indent + 1 || isItem(following, indent, ordered))) break;
        items.at(-1).lines.push(line);
      } else if (isItem(line, indent, ordered)) {
        const marker = ITEM.exec(line.text)[0].length;
        items.push({ marker, lines: [cut(line, marker)] });
      } else if (indentOf(line) > indent + 1) {
        items.at(-1).lines.push(cut(line, Math.min(indentOf(line), items.at(-1).marker)));
      } else if (isBlank(lines[next - 1]) || startsBlock(lines, next)) {
        break;
      } else {
        items.at(-1).lines.push(line);
      }
    }
    const first = Number.parseInt(lines[at].text.trim(), 10);
    return { block: { kind: "list", ordered, first, items: items.map((item) => parseBlocks(item.lines)) }, next };
  },
};

const isOrdered = (line) => /\d/.test(ITEM.exec(line.text)[2]);

/** Whether a line is the next item of a list of this kind and depth. */
const isItem = (line, indent, ordered) =>
  ITEM.test(line.text) && !RULE.test(line.text) && indentOf(line) <= indent + 1 && isOrdered(line) === ordered;

/** The kinds of block that begin with a sign of their own, in the order in which they are tried. */
const SPECIAL = [fence, heading, rule, table, quote, list];

const startsBlock = (lines, at) => SPECIAL.some((kind) => kind.starts(lines, at));

const paragraph = {
  read(lines, at) {
    let next = at + 1;
    while (next < lines.length && !isBlank(lines[next]) && !startsBlock(lines, next)) next += 1;
    return { block: { kind: "paragraph", lines: lines.slice(at, next) }, next };
  },
};
