// Which language the page speaks, and the texts in it. An element remembers what it says, so that it can say it again
// in another language.

import { languages } from "./texts.js";

/** @typedef {keyof typeof languages} Language */

const remembered = "chat-language";

/** @type {Language} */
let current = "en";

/** The tag of the language that is spoken. */
export const language = () => current;

/** The language after this one, for a button that switches. */
export function nextLanguage() {
  const tags = /** @type {Language[]} */ (Object.keys(languages));
  return tags[(tags.indexOf(current) + 1) % tags.length];
}

/** Begins with the language that was chosen before, or with the first of the browser's that there is. */
export function startLanguage() {
  const wanted = [recall(), ...navigator.languages.map((tag) => tag.toLowerCase().split("-")[0])];
  current = wanted.find(isLanguage) ?? "en";
  speak();
}

/** @param {Language} chosen */
export function switchLanguage(chosen) {
  current = chosen;
  try {
    localStorage.setItem(remembered, chosen);
  } catch {
    // A browser that keeps nothing is a reason to forget it, not to fail.
  }
  speak();
}

/**
 * A text in the language that is spoken.
 * @param {string} key
 * @param {import("./texts.js").Values} [values] `why` in them is a text's key and values itself
 * @returns {string}
 */
export function told(key, values = {}) {
  const text = languages[current][key];
  if (text === undefined) throw new Error(`there is no text ${key}`);
  if (typeof text === "string") return text;
  return text("why" in values ? { ...values, why: told(values.why.key, values.why.values) } : values);
}

/**
 * What to say for a result, as a key and its values.
 * @param {number} code
 */
export function resultText(code) {
  const key = `result_${code}`;
  return { key: Object.hasOwn(languages[current], key) ? key : "result", values: { code } };
}

/**
 * Lets an element say a text; an empty key: nothing.
 * @param {HTMLElement} element
 * @param {string} key
 * @param {import("./texts.js").Values} [values]
 */
export function say(element, key, values = {}) {
  const text = key === "" ? "" : told(key, values);
  element.dataset.text = key;
  element.dataset.values = JSON.stringify(values);
  // Screen readers repeat what is set, even if it is the same.
  if (element.textContent !== text) element.textContent = text;
}

/**
 * A time of the day.
 * @param {Date} time
 */
export function clockTime(time) {
  return new Intl.DateTimeFormat(current, { hour: "2-digit", minute: "2-digit" }).format(time);
}

function speak() {
  document.documentElement.lang = current;
  for (const element of everyWith("text")) {
    say(element, element.dataset.text ?? "", JSON.parse(element.dataset.values ?? "{}"));
  }
  for (const element of everyWith("label")) element.setAttribute("aria-label", told(element.dataset.label ?? ""));
  for (const element of everyWith("hint")) element.setAttribute("placeholder", told(element.dataset.hint ?? ""));
  for (const element of document.querySelectorAll("time")) element.textContent = clockTime(new Date(element.dateTime));
}

/**
 * @param {string} name
 * @returns {NodeListOf<HTMLElement>}
 */
function everyWith(name) {
  return document.querySelectorAll(`[data-${name}]`);
}

/**
 * @param {string | null} tag
 * @returns {tag is Language}
 */
function isLanguage(tag) {
  return tag !== null && Object.hasOwn(languages, tag);
}

function recall() {
  try {
    return localStorage.getItem(remembered);
  } catch {
    return null;
  }
}
