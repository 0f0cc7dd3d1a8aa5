// Short ways to the page's elements, and how others' texts are shown in them.

/**
 * The element with an id.
 * @param {string} id
 * @returns {any} as what it is depends on the page
 */
export function at(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {string} [text]
 */
export function made(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

/**
 * A user's name as people can see it: what is invisible or turns the direction of writing is written as its number.
 * @param {string} name
 */
export function visibleName(name) {
  const shown = name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`);
  return shown.trim() === "" ? JSON.stringify(shown) : shown;
}

/**
 * A chat text in one paragraph: breaks of lines become signs, so that nobody fills the others' screens with nothing.
 * @param {string} text
 */
export function visibleText(text) {
  const shown = text.replace(/\r\n|[\n\r\v\f\x85\u2028\u2029]/g, " ⏎ ")
    .replace(/[\x00-\x08\x0e-\x1f\x7f-\x9f]/g, "\ufffd");
  return shown.trim() === "" ? JSON.stringify(shown) : shown;
}
