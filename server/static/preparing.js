/**
 * Tells the service of a question while it is typed, so that its sources are read when it is asked. Nothing depends on
 * it: what fails is not said, and tried again with the next letters.
 */

/** @import { AskBody } from "./types.js" */

import { prepare } from "./api.js";

const PAUSE_MS = 400;
const LEAST_CHARS = 4;

/**
 * @param {HTMLTextAreaElement} field
 * @param {(question: string) => AskBody|null} bodyOf What would be asked; null: nothing now.
 */
export function prepareWhileTyping(field, bodyOf) {
  let timer = 0;
  let sent = "";

  async function send() {
    const question = field.value.trim();
    const body = question === sent || question.length < LEAST_CHARS ? null : bodyOf(question);
    if (body) {
      sent = question;
      await prepare(body).catch(() => {});
    }
    timer = 0;
    if (body && field.value.trim() !== sent) wait();
  }

  function wait() {
    timer ||= setTimeout(send, PAUSE_MS);
  }

  field.addEventListener("input", wait);
}
