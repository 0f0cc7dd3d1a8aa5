// The page in a browser whose user wants larger letters.

import assert from "node:assert/strict";
import { test } from "node:test";

import { inChromium, pages } from "./support/page.js";

const open = pages({ args: ["--no-sandbox", "--blink-settings=defaultFontSize=24"] });

test("letters are as large as the browser is told to show them", inChromium, async (t) => {
  const { page } = await open(t);
  for (const what of ["body", "#name", "#log-in"]) {
    assert.equal(await page.locator(what).evaluate((element) => getComputedStyle(element).fontSize), "24px", what);
  }
});
