/** Scrolling to what is marked. */

const LEAST_PX = 24;

/**
 * Scrolls so that the first mark is seen, with what stands before it; to the top where there is none.
 *
 * @param {HTMLElement} body
 */
export function centre(body) {
  const mark = body.querySelector("mark");
  if (!mark) {
    body.scrollTop = 0;
    return;
  }
  const box = mark.getBoundingClientRect();
  const offset = box.top - body.getBoundingClientRect().top;
  body.scrollTop += offset - Math.max(LEAST_PX, (body.clientHeight - box.height) / 3);
}
