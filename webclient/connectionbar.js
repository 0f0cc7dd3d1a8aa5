// What the page says about the connection, in every view: its state in words, and the wait for the next try.

import { at } from "./dom.js";
import { say } from "./language.js";

export class ConnectionBar {
  #ticking = 0; // the interval's handle, while there is something to count down
  #nextTry = 0;

  #leave;

  /**
   * @param {() => void} tryNow
   * @param {() => void} leave called when the bar goes and had the keyboard's focus
   */
  constructor(tryNow, leave) {
    this.#leave = leave;
    at("try-now").addEventListener("click", tryNow);
  }

  /** @param {Readonly<import("./client.js").Status>} status */
  show({ state, restoring, nextTry, reason }) {
    // While a session comes back its steps would only flicker by. Before the first login there is nothing to tell: that
    // it is not connected would look like a fault.
    const shown = restoring ? "reconnecting" : state === "closed" && reason === null ? "" : state;
    at("state").dataset.state = shown;
    say(at("state-text"), shown === "" ? "" : `state_${shown}`);
    const trouble = at("trouble");
    const hadFocus = trouble.contains(document.activeElement);
    trouble.hidden = !restoring;
    if (hadFocus && !restoring) this.#leave();
    // It is not disabled, which would take the focus from it.
    at("try-now").setAttribute("aria-disabled", String(nextTry === null));
    clearInterval(this.#ticking);
    if (nextTry !== null) {
      this.#nextTry = nextTry;
      this.#ticking = setInterval(() => this.#count(), 250);
      this.#count();
    } else if (restoring) {
      say(at("countdown"), "trying");
    }
  }

  // It is beside what screen readers read out by themselves: a number a second is too much to hear.
  #count() {
    say(at("countdown"), "nextTry", { seconds: Math.max(0, Math.ceil((this.#nextTry - Date.now()) / 1000)) });
  }
}
