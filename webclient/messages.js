// A log of messages: bounded, and it stays where its reader has scrolled to.

import { made, visibleName, visibleText } from "./dom.js";
import { clockTime, say } from "./language.js";

const nearEnd = 48; // pixels from the end that still count as being there
const mostOver = 100; // lines more than there may be, for a moment
const together = 120_000; // milliseconds in which somebody's messages are shown under one name

/** @typedef {"other" | "own" | "announcement"} Kind */

export class MessageLog {
  #element;
  #below;
  #most;
  #follows = true; // the end is to be seen
  #seen = { top: 0, height: 0 }; // where it was, and how high, when it was last looked at
  #isDue = false; // the end will be scrolled to, or what is too much removed
  #hasNew = false; // lines that it was not scrolled to yet
  /** @type {{user: string, kind: Kind, time: number} | null} */
  #last = null;

  /**
   * @param {HTMLElement} element
   * @param {number} most lines
   * @param {HTMLElement | null} [below] a button that leads to what is new
   */
  constructor(element, most, below = null) {
    this.#element = element;
    this.#most = most;
    this.#below = below;
    element.addEventListener("scroll", () => this.#look());
    below?.addEventListener("click", () => {
      this.#follow();
      element.focus({ preventScroll: true }); // the button goes
    });
    // A keyboard on the screen takes place from the log, and a turned phone changes its width.
    new ResizeObserver(() => {
      if (this.#follows) this.#tidySoon();
    }).observe(element);
  }

  clear() {
    this.#element.replaceChildren();
    this.#last = null;
    this.#hasNew = false;
    this.#follow();
  }

  /**
   * @param {Kind} kind
   * @param {string} user
   * @param {string} text
   * @param {Date} time
   */
  add(kind, user, text, time) {
    const continues = this.#last?.user === user && this.#last.kind === kind &&
      time.getTime() - this.#last.time < together;
    this.#last = { user, kind, time: continues ? this.#last?.time ?? 0 : time.getTime() };
    const line = made("div", `line ${kind}`);
    if (continues) line.classList.add("continues");
    // Every message says whose it is, though only the first of several shows it.
    const author = made("span", continues ? "author unseen" : "author");
    if (kind === "own") {
      const you = made("span", "");
      say(you, "you");
      author.append(you);
    } else {
      author.append(made("bdi", "", visibleName(user)));
    }
    if (kind === "announcement") {
      const badge = made("span", "badge");
      say(badge, "announcement");
      author.prepend(badge, " ");
    }
    const clock = made("time", "", clockTime(time));
    clock.dateTime = time.toISOString();
    const words = made("p", "words", visibleText(text));
    words.dir = "auto";
    line.append(author, words, clock);
    if (kind === "own") this.#follow(); // who says something wants to see it
    this.#append(line);
  }

  /**
   * A line of the page's own.
   * @param {string} key
   * @param {import("./texts.js").Values} [values]
   */
  note(key, values) {
    const line = made("p", "line note");
    say(line, key, values);
    this.#last = null;
    this.#append(line);
  }

  /** @param {HTMLElement} line */
  #append(line) {
    const log = this.#element;
    log.append(line);
    this.#hasNew = true;
    if (this.#follows) {
      while (log.childElementCount > this.#most) log.firstElementChild?.remove();
      this.#tidySoon();
      return;
    }
    this.#tellBelow();
    // To keep the place the lines have to be measured: once a frame, or once in many where there are no frames, as in a
    // tab that is not seen.
    if (log.childElementCount > this.#most + mostOver) this.#trim();
    else if (log.childElementCount > this.#most) this.#tidySoon();
  }

  #trim() {
    const log = this.#element;
    const height = log.scrollHeight;
    while (log.childElementCount > this.#most) log.firstElementChild?.remove();
    log.scrollTop -= height - log.scrollHeight; // the reader's lines stay where they are
  }

  #look() {
    const { scrollTop, scrollHeight, clientHeight } = this.#element;
    const left = scrollHeight - scrollTop - clientHeight;
    // Lines that came since the last scrolling are below the end, too; only who goes up leaves it, in steps however
    // small. The browser itself goes up when the log becomes higher.
    const goesUp = scrollTop < this.#seen.top && clientHeight === this.#seen.height;
    if (left < 2 || (left < nearEnd && !goesUp)) {
      this.#arrive();
    } else if (goesUp) {
      this.#follows = false;
      if (this.#hasNew) this.#tellBelow(); // they came in the same frame
    }
    this.#seen = { top: scrollTop, height: clientHeight };
  }

  #tellBelow() {
    if (this.#below !== null) this.#below.hidden = false;
  }

  // It does not scroll: that would take what is left from whoever is still scrolling.
  #arrive() {
    this.#follows = true;
    if (this.#below !== null) this.#below.hidden = true;
  }

  #follow() {
    this.#arrive();
    this.#tidySoon();
  }

  // Once a frame, however many messages come in it.
  #tidySoon() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      const log = this.#element;
      if (!this.#follows) {
        if (log.childElementCount > this.#most) this.#trim();
        return;
      }
      log.scrollTop = log.scrollHeight;
      this.#hasNew = false;
      this.#seen = { top: log.scrollTop, height: log.clientHeight };
    });
  }
}
