/**
 * The wire counts Unicode code points, JavaScript counts UTF-16 units: they differ after the first emoji or rare Han
 * character. Everything that crosses is converted here.
 */

/**
 * The UTF-16 index of a code-point offset, at most the length of the text.
 *
 * @param {string} text
 * @param {number} offset
 */
export function unitIndex(text, offset) {
  let index = 0;
  for (const character of text) {
    if (offset-- <= 0) break;
    index += character.length;
  }
  return index;
}

/**
 * Where the mark of a citation stands in an answer: after the last character of its stretch that is not white space.
 *
 * @param {string} answer
 * @param {number} answerEnd In code points.
 */
export function markPlace(answer, answerEnd) {
  return answer.slice(0, unitIndex(answer, answerEnd)).trimEnd().length;
}
