// Where a room is chosen: from a list, or by its number if there are many.

import { at, made } from "./dom.js";
import { say } from "./language.js";

const mostListed = 40;

export class RoomChooser {
  #first = 0;
  #last = -1;
  #enter;

  /** @param {(room: number) => void} enter */
  constructor(enter) {
    this.#enter = enter;
    at("room-list").addEventListener("click", (/** @type {Event} */ event) => {
      const button = /** @type {HTMLElement} */ (event.target).closest("button");
      if (button !== null) enter(Number(button.dataset.room));
    });
    at("enter").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#submit();
    });
    at("room-number").addEventListener("input", () => this.complain(""));
  }

  /** @param {import("./serverconfig.js").Config} config */
  show({ firstRoom, rooms }) {
    if (firstRoom === this.#first && rooms === this.#last - this.#first + 1) return;
    this.#first = firstRoom;
    this.#last = firstRoom + rooms - 1;
    const list = at("room-list");
    const hadFocus = [list, at("enter")].some((part) => part.contains(document.activeElement));
    const isListed = rooms >= 1 && rooms <= mostListed;
    list.hidden = !isListed;
    at("enter").hidden = rooms < 1 || isListed;
    list.replaceChildren(...Array.from({ length: isListed ? rooms : 0 }, (_, i) => {
      const item = made("li", "");
      const button = made("button", "");
      button.type = "button";
      button.dataset.room = String(firstRoom + i);
      say(button, "roomName", { room: firstRoom + i });
      item.append(button);
      return item;
    }));
    const field = at("room-number");
    [field.min, field.max] = [String(this.#first), String(this.#last)];
    say(at("room-label"), "roomRange", { first: this.#first, last: this.#last });
    say(at("no-rooms"), rooms < 1 ? "noRooms" : "");
    if (hadFocus) this.focus();
  }

  /** Gives the keyboard's focus to where a room is chosen. */
  focus() {
    // On a phone the keyboard would cover what is announced.
    const isField = !at("enter").hidden && !matchMedia("(pointer: coarse)").matches;
    at(isField ? "room-number" : "rooms-title").focus();
  }

  /**
   * @param {string} key
   * @param {import("./texts.js").Values} [values]
   */
  complain(key, values) {
    say(at("rooms-error"), key, values);
    at("room-number").setAttribute("aria-invalid", String(key !== ""));
  }

  #submit() {
    const room = at("room-number").valueAsNumber; // NaN: it is empty, or no number
    if (!Number.isInteger(room) || room < this.#first || room > this.#last) {
      this.complain("roomOutside", { first: this.#first, last: this.#last });
      at("room-number").focus();
      return;
    }
    this.#enter(room);
  }
}
