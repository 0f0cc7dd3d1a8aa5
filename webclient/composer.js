// Where a message is written, and the counter of bytes that it shares with the field of the name.

import { at } from "./dom.js";
import { say } from "./language.js";
import { byteLength, MAX_MESSAGE_BYTES, messageProblem } from "./protocol.js";

/** @typedef {{key: string, values?: import("./texts.js").Values}} Trouble what went wrong: a text's key and values */

/**
 * Shows how many bytes are left as soon as that matters.
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 * @param {string} text what would be sent of it
 * @param {HTMLElement} output
 * @param {number} most
 * @param {number} near how many bytes are left when it begins to matter
 */
export function countBytes(input, text, output, most, near) {
  const left = most - byteLength(text);
  if (left > near) say(output, "");
  else if (left >= 0) say(output, "bytesLeft", { count: left });
  else say(output, "bytesOver", { count: -left, most });
  output.classList.toggle("over", left < 0);
  input.setAttribute("aria-invalid", String(left < 0));
}

/** Errors that are over as soon as there is a connection again. */
const ofTheBreak = ["notConnected", "leaveLater"];

export class Composer {
  #input = at("message");
  #error = at("composer-error");
  #send;
  #lost;
  #drafts = 0; // how many times everything was forgotten

  /**
   * @param {(text: string) => Promise<Trouble | null>} send
   * @param {(text: string, trouble: Trouble) => boolean} lost keeps a text that did not arrive and has no place here,
   *   as something else is being written; false: it cannot
   */
  constructor(send, lost) {
    this.#send = send;
    this.#lost = lost;
    at("composer").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#input.focus(); // and not the button, which would close a phone's keyboard
      this.#submit();
    });
    this.#input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Enter") return;
      // This Enter ends a syllable that is being composed. Some browsers say so by the key's code only.
      if (event.isComposing || event.keyCode === 229) return;
      event.preventDefault(); // a message is one line
      if (!event.shiftKey) this.#submit();
    });
    this.#input.addEventListener("input", () => this.#changed());
  }

  focus() {
    this.#input.focus();
  }

  /** There is a connection again, so that nothing keeps the message here. */
  reconnected() {
    if (ofTheBreak.includes(this.#error.dataset.text)) say(this.#error, "");
  }

  /** @param {Trouble} trouble */
  complain({ key, values }) {
    say(this.#error, key, values);
  }

  /** Forgets what is written, and what is on its way: it does not come back here. */
  clear() {
    this.#drafts++;
    this.#write("");
  }

  /** @param {string} text */
  #write(text) {
    this.#input.value = text;
    this.#changed();
  }

  /** What would be sent: breaks of lines come with what is pasted. */
  get #text() {
    return this.#input.value.replace(/[\r\n]+/g, " ").trim();
  }

  #changed() {
    say(this.#error, "");
    countBytes(this.#input, this.#text, at("message-count"), MAX_MESSAGE_BYTES, 60);
  }

  async #submit() {
    const text = this.#text;
    if (text === "") return;
    const problem = messageProblem(text);
    if (problem !== null) {
      this.complain({ key: `message_${problem}`, values: { most: MAX_MESSAGE_BYTES, count: byteLength(text) } });
      this.#input.setAttribute("aria-invalid", "true");
      return;
    }
    const written = this.#input.value;
    const draft = this.#drafts;
    this.#write("");
    const trouble = await this.#send(text);
    if (trouble === null || draft !== this.#drafts) return;
    // What was written meanwhile is not lost either, nor what was put back here before.
    const isFree = this.#input.value === "";
    if (!isFree && this.#lost(text, trouble)) return;
    this.#write(isFree ? written : `${this.#input.value} ${written}`);
    this.complain(trouble);
  }
}
