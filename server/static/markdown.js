/**
 * Markdown's grammar as the page knows it: the signs that begin a block, and those within a line. Patterns alone; what
 * they are used for is in `blocks.js` and `answer-view.js`.
 */

export const FENCE = /^\s{0,3}(`{3,}|~{3,})\s*([\w+#.-]*)\s*$/;
export const HEADING = /^\s{0,3}(?<marks>#{1,6})(?<gap>\s+)(?<title>.*?)\s*#*\s*$/;
export const RULE = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/;
export const QUOTE = /^\s{0,3}>\s?/;
export const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])(\s+)(?=\S)/;
export const DELIMITERS = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
export const CELLS = /(?:\\\||[^|])+/g;
export const LAST_BAR = /\|\s*$/;

/** Columns of white space from which on a line is no list item of the outermost list. */
export const CODE_INDENT = 4;

const CODE = /(`+)(?<code>[^`]+|[^`][\s\S]*?[^`])\1(?!`)/;
const STRONG = /\*\*(?=\S)(?<strong>[\s\S]*?\S)\*\*/;
const EMPHASIS = /\*(?=[^\s*])(?<emphasis>[^*\n]*[^\s*])\*/;

/** The first span of a text that is more than words; the group that matched has its name. */
export const INLINE = new RegExp([CODE, STRONG, EMPHASIS].map((pattern) => pattern.source).join("|"));

/** A text as it is read aloud: without its signs. @param {string} source */
export const withoutSigns = (source) => source.replaceAll(/[*`#|]/g, "");
