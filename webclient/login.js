// Where one logs in: the name, what is wrong with it, and a way out while the server is waited for.

import { countBytes } from "./composer.js";
import { at } from "./dom.js";
import { say } from "./language.js";
import { MAX_USER_BYTES, userProblem } from "./protocol.js";

const patience = 1000; // milliseconds until there is something to cancel; a second click is not meant for that

export class LoginForm {
  #input = at("name");
  #isWaiting = false;
  #timer = 0;

  /**
   * @param {(user: string) => void} logIn
   * @param {() => void} cancel
   */
  constructor(logIn, cancel) {
    at("login").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      if (this.#isWaiting) return;
      const user = this.#user;
      const problem = userProblem(user);
      if (problem === null) logIn(user);
      else this.complain(`name_${problem}`, {}, true);
    });
    at("cancel").addEventListener("click", cancel);
    this.#input.addEventListener("input", () => {
      say(at("login-error"), "");
      this.#count();
    });
    this.wait(false);
  }

  /** What would be sent. */
  get #user() {
    return this.#input.value.trim();
  }

  /** @param {string} user */
  fill(user) {
    this.#input.value = user;
    this.#count();
  }

  focus() {
    this.#input.focus();
  }

  /**
   * @param {string} key
   * @param {import("./texts.js").Values} [values]
   * @param {boolean} [isOfName] another name may do, and this one does not
   */
  complain(key, values, isOfName = false) {
    say(at("login-error"), key, values);
    this.#count();
    if (!isOfName) return;
    this.#input.setAttribute("aria-invalid", "true");
    this.#input.focus();
  }

  /**
   * Shows whether the server is waited for.
   * @param {boolean} isWaiting
   */
  wait(isWaiting) {
    this.#isWaiting = isWaiting;
    say(at("log-in"), isWaiting ? "loggingIn" : "logIn");
    // It is not disabled, which would take the keyboard's focus from it.
    at("log-in").setAttribute("aria-disabled", String(isWaiting));
    clearTimeout(this.#timer);
    const hadFocus = document.activeElement === at("cancel");
    at("cancel").hidden = true;
    if (hadFocus) this.focus();
    if (!isWaiting) return;
    this.#timer = setTimeout(() => {
      at("cancel").hidden = false;
    }, patience);
  }

  #count() {
    countBytes(this.#input, this.#user, at("name-count"), MAX_USER_BYTES, 6);
  }
}
