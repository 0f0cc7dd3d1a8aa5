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

// What shows nothing, or turns the direction of writing. The last two count as signs, and are empty.
const invisible = String.raw`[\p{C}\p{Zl}\p{Zp}\p{DI}\u{2800}\u{1d159}]`;
// One space between letters can be seen. Several cannot be counted, and those of other widths not be told from it.
const invisibleInName = String.raw`${invisible}|^ | $| (?= )|(?! )\p{Zs}`;

/**
 * Finds the parts of a text, but emoji, in which such characters are at their place. Only those that Unicode lists are
 * emoji: with others two names could look the same. A browser that does not have the list, from before 2023, finds the
 * characters within emoji, too.
 * @param {string} part
 */
function besideEmoji(part) {
  try {
    return new RegExp(String.raw`(\p{RGI_Emoji})|${part}`, "gv");
  } catch {
    return new RegExp(`()(?:${part})`, "gu");
  }
}

const inName = besideEmoji(invisibleInName);
const inBlank = new RegExp(invisible, "gu");

/** @param {string} letter */
const numbered = (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`;

/**
 * A user's name as people can see it: what is invisible, and could make it look like another's, is written as its
 * number.
 * @param {string} name
 */
export function visibleName(name) {
  return name === "" ? '""' : name.replace(inName, (letter, emoji) => emoji || numbered(letter));
}

/**
 * A chat text in one paragraph: breaks of lines become signs, so that nobody fills the others' screens with nothing.
 * @param {string} text
 */
export function visibleText(text) {
  const shown = text.replace(/\r\n|[\n\r\v\f\x85\u2028\u2029]/g, " ⏎ ")
    .replace(/[\x00-\x08\x0e-\x1f\x7f-\x9f]/g, "\ufffd");
  const isBlank = shown.replace(inBlank, "").trim() === "";
  return isBlank ? `"${shown.replace(inBlank, numbered)}"` : shown;
}
