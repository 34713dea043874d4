/**
 * The wire counts Unicode code points, JavaScript counts UTF-16 units: they differ after the first emoji or rare Han
 * character. Everything that crosses is converted here.
 */

/** The UTF-16 index of a code-point offset, at most the length of the text. */
export function unitIndex(text, offset) {
  let index = 0;
  for (const character of text) {
    if (offset-- <= 0) break;
    index += character.length;
  }
  return index;
}
