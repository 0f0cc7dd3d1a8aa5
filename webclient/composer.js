// Where a message is written, and the counter of bytes that it shares with the field of the name.

import { at } from "./dom.js";
import { say } from "./language.js";
import { byteLength, MAX_MESSAGE_BYTES, messageProblem } from "./protocol.js";

/**
 * Shows how many bytes are left as soon as that matters.
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 * @param {HTMLElement} output
 * @param {number} most
 * @param {number} near how many bytes are left when it begins to matter
 */
export function countBytes(input, output, most, near) {
  const left = most - byteLength(input.value);
  if (left > near) say(output, "");
  else if (left >= 0) say(output, "bytesLeft", { count: left });
  else say(output, "bytesOver", { count: -left, most });
  output.classList.toggle("over", left < 0);
  input.setAttribute("aria-invalid", String(left < 0));
}

export class Composer {
  #input = at("message");
  #error = at("composer-error");
  #send;

  /** @param {(text: string) => Promise<string>} send says what went wrong as the key of a text; "": nothing */
  constructor(send) {
    this.#send = send;
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
    say(this.#error, "");
  }

  /** Forgets what is written. */
  clear() {
    this.#input.value = "";
    this.#changed();
  }

  #changed() {
    say(this.#error, "");
    countBytes(this.#input, at("message-count"), MAX_MESSAGE_BYTES, 60);
  }

  async #submit() {
    const written = this.#input.value;
    const text = written.replace(/[\r\n]+/g, " ").trim(); // breaks come with what is pasted
    if (text === "") return;
    const problem = messageProblem(text);
    if (problem !== null) {
      say(this.#error, `message_${problem}`, { most: MAX_MESSAGE_BYTES, count: byteLength(text) });
      return;
    }
    this.clear();
    const trouble = await this.#send(text);
    if (trouble === "") return;
    if (this.#input.value === "") { // what was written meanwhile is not lost either
      this.#input.value = written;
      this.#changed();
    }
    say(this.#error, trouble);
  }
}
