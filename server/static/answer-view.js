/**
 * Shows an answer that grows: Markdown as elements, with a mark after each stretch that a citation supports. Only
 * blocks that changed are made again, so that a focused mark or a selection above survives the next words. Built from
 * text nodes alone; links, images and HTML in the answer stay the characters that they are.
 */

import { parseMarkdown } from "./blocks.js";
import { element } from "./dom.js";
import { unitIndex } from "./offsets.js";

const CODE = /(`+)(?<code>[^`]+|[^`][\s\S]*?[^`])\1(?!`)/;
const STRONG = /\*\*(?=\S)(?<strong>[\s\S]*?\S)\*\*/;
const EMPHASIS = /\*(?=[^\s*])(?<emphasis>[^*\n]*[^\s*])\*/;
const INLINE = new RegExp([CODE, STRONG, EMPHASIS].map((pattern) => pattern.source).join("|"));

/** An answer on the page. */
export class AnswerView {
  #container;
  #makeMark;
  #shown = [];

  /**
   * @param {Element} container
   * @param {(citation: Object) => Node} makeMark
   */
  constructor(container, makeMark) {
    this.#container = container;
    this.#makeMark = makeMark;
  }

  /** Shows a text, with its citations in order of `answer_end` (code points). */
  update(source, citations) {
    const marks = citations.map((citation) => ({ citation, end: markPlace(source, citation.answer_end) }));
    const blocks = parseMarkdown(source);
    const shown = blocks.map((block, at) => {
      const end = at + 1 < blocks.length ? blocks[at + 1].start : source.length + 1;
      const own = marks.filter((mark) => (at === 0 || mark.end > block.start) && mark.end <= end);
      const key = JSON.stringify([block.start, source.slice(block.start, end), own]);
      return this.#shown[at]?.key === key ? this.#shown[at] : { key, ...renderBlock(block, own, this.#makeMark) };
    });
    for (const [at, block] of shown.entries()) {
      const old = this.#shown[at];
      if (old === undefined) this.#container.append(block.node);
      else if (old !== block) old.node.replaceWith(block.node);
    }
    for (const old of this.#shown.slice(shown.length)) old.node.remove();
    this.#shown = shown;
  }

  /** The ranges of the page that hold a stretch of the answer, given in UTF-16 units of its source. */
  ranges(start, end) {
    const all = this.#shown.flatMap((block) => block.pieces);
    const pieces = all.filter((piece) => piece.start < end && piece.end > start);
    return pieces.map((piece) => {
      const range = document.createRange();
      range.setStart(piece.node, Math.max(0, start - piece.start));
      range.setEnd(piece.node, Math.min(piece.node.length, end - piece.start));
      return range;
    });
  }
}

/** Where a mark stands: after the last character of the stretch that is not white space. */
function markPlace(source, answerEnd) {
  return source.slice(0, unitIndex(source, answerEnd)).trimEnd().length;
}

function renderBlock(block, marks, makeMark) {
  const writer = new Writer(marks, makeMark);
  const node = writer.block(block);
  writer.finish(node);
  return { node, pieces: writer.pieces };
}

/** Writes blocks in source order; puts each mark as soon as the text before it is written. */
class Writer {
  #marks;
  #makeMark;
  #last = null;
  pieces = [];

  constructor(marks, makeMark) {
    this.#marks = [...marks];
    this.#makeMark = makeMark;
  }

  /** Puts the marks that end at or before a place of the source: where the text last stood, unless told otherwise. */
  flush(place, parent = this.#last) {
    while (this.#marks.length && this.#marks[0].end <= place) {
      parent.append(this.#makeMark(this.#marks.shift().citation));
    }
  }

  /** Puts the marks that are left, in a block without any text on the block itself. */
  finish(node) {
    this.flush(Infinity, this.#last ?? node);
  }

  block(block) {
    switch (block.kind) {
      case "code":
        return this.#code(block);
      case "heading":
        return this.#inline(element(block.level < 3 ? "h3" : "h4"), block.lines);
      case "list":
        return element(
          block.ordered ? "ol" : "ul",
          { start: block.ordered && block.first !== 1 ? block.first : null },
          ...block.items.map((blocks) => this.#item(blocks)),
        );
      case "quote":
        return element("blockquote", {}, ...block.blocks.map((inner) => this.block(inner)));
      case "rule":
        return element("hr");
      case "table":
        return this.#table(block.rows);
      default:
        return this.#inline(element("p"), block.lines);
    }
  }

  #item(blocks) {
    const item = element("li");
    for (const [at, block] of blocks.entries()) {
      if (at === 0 && block.kind === "paragraph") this.#inline(item, block.lines);
      else item.append(this.block(block));
    }
    return item;
  }

  #code({ lines }) {
    const code = element("code", {}, lines.map((line) => line.text).join("\n"));
    const frame = element("div", { class: "code" }, element("pre", { tabindex: "0" }, code));
    this.#last ??= frame;
    if (lines.length) this.flush(lines[0].start);
    this.#last = frame;
    return frame;
  }

  #table(rows) {
    const row = (cells, tag) => element("tr", {}, ...cells.map((cell) => this.#inline(element(tag), [cell])));
    const head = element("thead", {}, row(rows[0], "th"));
    const body = element("tbody", {}, ...rows.slice(1).map((cells) => row(cells, "td")));
    return element("div", { class: "table", tabindex: "0" }, element("table", {}, head, body));
  }

  #inline(parent, lines) {
    const text = lines.map((line) => line.text).join("\n");
    const places = lines.flatMap((line) => Array.from({ length: line.text.length + 1 }, (_, at) => line.start + at));
    this.#last ??= parent;
    this.flush(places[0]);
    this.#last = parent;
    this.#spans(parent, text, places, 0, text.length);
    return parent;
  }

  #spans(parent, text, places, from, to) {
    while (from < to) {
      const match = INLINE.exec(text.slice(from, to));
      if (match === null) break;
      const [name, inner] = Object.entries(match.groups).find(([, value]) => value !== undefined);
      const start = from + match.index;
      const innerStart = start + match[0].indexOf(inner);
      this.#text(parent, text, places, from, start);
      this.flush(places[start], parent);
      const node = element(name === "emphasis" ? "em" : name);
      parent.append(node);
      if (name === "code") this.#piece(node, inner, places[innerStart]);
      else this.#spans(node, text, places, innerStart, innerStart + inner.length);
      from = start + match[0].length;
    }
    this.#text(parent, text, places, from, to);
  }

  #text(parent, text, places, from, to) {
    while (from < to) {
      this.flush(places[from], parent);
      const stop = this.#marks.length ? places.findIndex((place, at) => at > from && place >= this.#marks[0].end) : -1;
      const end = stop === -1 ? to : Math.min(stop, to);
      this.#piece(parent, text.slice(from, end), places[from]);
      from = end;
    }
  }

  #piece(parent, text, start) {
    const node = document.createTextNode(text);
    parent.append(node);
    this.pieces.push({ node, start, end: start + text.length });
  }
}
