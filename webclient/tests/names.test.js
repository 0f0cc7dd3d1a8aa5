// How what others write is made visible.

import assert from "node:assert/strict";
import { test } from "node:test";

import { visibleName, visibleText } from "../dom.js";

const names = {
  "bob": "bob", "John Smith": "John Smith", "홍길동": "홍길동", "Zoë": "Zoë", "שלום": "שלום", "नमस्ते": "नमस्ते",
  "": '""',
  " ": "\\u{20}",
  "bob ": "bob\\u{20}",
  " bob": "\\u{20}bob",
  "b  ob": "b\\u{20} ob",
  "b\u00a0ob": "b\\u{a0}ob",
  "b\u3000ob": "b\\u{3000}ob",
  "\u3164": "\\u{3164}",
  "\u2800\u2800": "\\u{2800}\\u{2800}",
  "\u{1d159}": "\\u{1d159}",
  "bo\u034fb": "bo\\u{34f}b",
  "SERVER\u3164": "SERVER\\u{3164}",
  "SERVER\ufe0f": "SERVER\\u{fe0f}",
  "b\u00adob\u200b": "b\\u{ad}ob\\u{200b}",
  "a\u202eb": "a\\u{202e}b",
  "a\u2028b": "a\\u{2028}b",
  "a\u0085b": "a\\u{85}b",
  "👨‍👩‍👧": "👨‍👩‍👧", "👍🏽": "👍🏽", "❤️": "❤️", "1️⃣": "1️⃣", "🇰🇷": "🇰🇷", "🏴󠁧󠁢󠁳󠁣󠁴󠁿": "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "bob ❤️": "bob ❤️", "#1": "#1",
  "😀\u200d😀": "😀\\u{200d}😀",
  "😀\ufe0f": "😀\\u{fe0f}",
  "1\ufe0f": "1\\u{fe0f}",
};

test("names show what they are", () => {
  for (const [name, shown] of Object.entries(names)) assert.equal(visibleName(name), shown, JSON.stringify(name));
  assert.equal(new Set(Object.keys(names).map(visibleName)).size, Object.keys(names).length);
});

test("a text that shows nothing is shown by its numbers", () => {
  for (const [text, shown] of Object.entries({
    "hi": "hi", "👨‍👩‍👧": "👨‍👩‍👧", "a\u200db": "a\u200db", " hi ": " hi ",
    "": '""', "  ": '"  "', "\u3164\u200b": '"\\u{3164}\\u{200b}"', "\u2800 \u2800": '"\\u{2800} \\u{2800}"',
    "x\n\ny\u0007": "x ⏎  ⏎ y\ufffd",
  })) assert.equal(visibleText(text), shown);
});
