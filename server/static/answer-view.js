/**
 * Shows an answer that grows: Markdown as elements, with a mark after each stretch that a citation supports. Only
 * blocks that changed are made again, so that a focused mark or a selection above survives the next words. Built from
 * text nodes alone; links, images and HTML in the answer stay the characters that they are.
 */

/** @import { Block, Line } from "./blocks.js" */
/** @import { Citation } from "./types.js" */

import { parseMarkdown } from "./blocks.js";
import { element } from "./dom.js";
import { INLINE } from "./markdown.js";
import { markPlace } from "./offsets.js";

/** @typedef {{node: Text, start: number, end: number}} Piece A text node, and which stretch of the source it shows. */
/** @typedef {{citation: Citation, end: number}} Mark `end` is where it stands in the source, in UTF-16 units. */
/** @typedef {(citation: Citation) => Node} MakeMark */

/** An answer on the page. */
export class AnswerView {
  #container;
  #makeMark;
  /** @type {{key: string, node: HTMLElement, pieces: Piece[]}[]} */
  #shown = [];

  /**
   * @param {Element} container
   * @param {MakeMark} makeMark
   */
  constructor(container, makeMark) {
    this.#container = container;
    this.#makeMark = makeMark;
  }

  /**
   * Shows a text.
   *
   * @param {string} source
   * @param {Citation[]} citations In order of `answer_end` (code points).
   */
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

  /**
   * Highlights a stretch of the answer, where the browser can; nothing where it is empty.
   *
   * @param {number} start In UTF-16 units of its source.
   * @param {number} end
   */
  highlight(start, end) {
    if (CSS.highlights) CSS.highlights.set("claim", new Highlight(...this.#ranges(start, end)));
  }

  /** @param {number} start @param {number} end */
  #ranges(start, end) {
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

/** @param {Block} block @param {Mark[]} marks @param {MakeMark} makeMark */
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
  /** @type {HTMLElement|null} */
  #last = null;
  /** @type {Piece[]} */
  pieces = [];

  /** @param {Mark[]} marks @param {MakeMark} makeMark */
  constructor(marks, makeMark) {
    this.#marks = [...marks];
    this.#makeMark = makeMark;
  }

  /**
   * Puts the marks that end at or before a place of the source: where the text last stood, unless told otherwise.
   *
   * @param {number} place
   * @param {HTMLElement|null} parent
   */
  flush(place, parent = this.#last) {
    const isLater = this.#marks.findIndex((mark) => mark.end > place);
    const due = this.#marks.splice(0, isLater === -1 ? Infinity : isLater);
    parent?.append(...due.map(({ citation }) => this.#makeMark(citation)));
  }

  /** Puts the marks that are left, in a block without any text on the block itself. @param {HTMLElement} node */
  finish(node) {
    this.flush(Infinity, this.#last ?? node);
  }

  /** @param {Block} block @returns {HTMLElement} */
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

  /** @param {Block[]} blocks */
  #item(blocks) {
    const item = element("li");
    for (const [at, block] of blocks.entries()) {
      if (at === 0 && block.kind === "paragraph") this.#inline(item, block.lines);
      else item.append(this.block(block));
    }
    return item;
  }

  /** @param {{lines: Line[]}} block */
  #code({ lines }) {
    const code = element("code", {}, lines.map((line) => line.text).join("\n"));
    const frame = element("div", { class: "code" }, element("pre", { tabindex: "0" }, code));
    this.#last ??= frame;
    if (lines.length) this.flush(lines[0].start);
    this.#last = frame;
    return frame;
  }

  /** @param {Line[][]} rows */
  #table(rows) {
    /** @param {Line[]} cells @param {"th"|"td"} tag */
    const row = (cells, tag) => element("tr", {}, ...cells.map((cell) => this.#inline(element(tag), [cell])));
    const head = element("thead", {}, row(rows[0], "th"));
    const body = element("tbody", {}, ...rows.slice(1).map((cells) => row(cells, "td")));
    return element("div", { class: "table", tabindex: "0" }, element("table", {}, head, body));
  }

  /** @template {HTMLElement} Parent @param {Parent} parent @param {Line[]} lines */
  #inline(parent, lines) {
    const text = lines.map((line) => line.text).join("\n");
    const places = lines.flatMap((line) => Array.from({ length: line.text.length + 1 }, (_, at) => line.start + at));
    this.#last ??= parent;
    this.flush(places[0]);
    this.#last = parent;
    this.#spans(parent, text, places, 0, text.length);
    return parent;
  }

  /**
   * @param {HTMLElement} parent
   * @param {string} text
   * @param {number[]} places Where each of its characters is in the source.
   * @param {number} from
   * @param {number} to
   */
  #spans(parent, text, places, from, to) {
    while (from < to) {
      const match = INLINE.exec(text.slice(from, to));
      if (match === null) break;
      const { code, strong, emphasis } = match.groups ?? {};
      const inner = code ?? strong ?? emphasis;
      const start = from + match.index;
      const innerStart = start + match[0].indexOf(inner);
      this.#text(parent, text, places, from, start);
      this.flush(places[start], parent);
      const node = element(code ? "code" : strong ? "strong" : "em");
      parent.append(node);
      if (code) this.#piece(node, inner, places[innerStart]);
      else this.#spans(node, text, places, innerStart, innerStart + inner.length);
      from = start + match[0].length;
    }
    this.#text(parent, text, places, from, to);
  }

  /**
   * @param {HTMLElement} parent
   * @param {string} text
   * @param {number[]} places
   * @param {number} from
   * @param {number} to
   */
  #text(parent, text, places, from, to) {
    while (from < to) {
      this.flush(places[from], parent);
      const due = this.#marks[0]?.end ?? Infinity;
      const stop = places.findIndex((place, at) => at > from && place >= due);
      const end = stop === -1 ? to : Math.min(stop, to);
      this.#piece(parent, text.slice(from, end), places[from]);
      from = end;
    }
  }

  /** @param {HTMLElement} parent @param {string} text @param {number} start */
  #piece(parent, text, start) {
    const node = document.createTextNode(text);
    parent.append(node);
    this.pieces.push({ node, start, end: start + text.length });
  }
}
