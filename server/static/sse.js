/**
 * Server-sent events out of a byte stream, as far as this page needs them: names and data. (`EventSource` can only
 * GET, without headers.) Chunks may be cut anywhere, also inside a character or between `\r` and `\n`. Events are not
 * understood here.
 */

/** Cuts a text that arrives in pieces into events. */
export class EventParser {
  #buffer = "";
  #name = "";
  /** @type {string[]} */
  #data = [];

  /**
   * Takes the next piece.
   *
   * @param {string} chunk
   * @returns {{name: string, data: string}[]} The events that it completed.
   */
  push(chunk) {
    this.#buffer += chunk;
    /** @type {{name: string, data: string}[]} */
    const events = [];
    for (let end; (end = this.#lineEnd()) !== null; ) {
      const line = this.#buffer.slice(0, end.at);
      this.#buffer = this.#buffer.slice(end.at + end.length);
      if (line === "") this.#dispatch(events);
      else this.#field(line);
    }
    return events;
  }

  #lineEnd() {
    const found = /\r\n|\n|\r(?!$)/.exec(this.#buffer);
    return found && { at: found.index, length: found[0].length };
  }

  /** @param {string} line */
  #field(line) {
    const [, name, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === "event") this.#name = value ?? "";
    if (name === "data") this.#data.push(value ?? "");
  }

  /** @param {{name: string, data: string}[]} events */
  #dispatch(events) {
    if (this.#data.length) events.push({ name: this.#name || "message", data: this.#data.join("\n") });
    this.#name = "";
    this.#data = [];
  }
}

/**
 * Yields the events of a response; one that was cut off at the end is dropped.
 *
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>|null} body
 * @param {() => void} onBytes Called whenever anything arrives, comments too.
 */
export async function* readEvents(body, onBytes = () => {}) {
  if (body === null) return;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      onBytes();
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.releaseLock();
  }
}
