// Chromium, for tests that look at the page.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

import { patience } from "./wait.js";

const program = process.env.CHROMIUM ??
  ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));

// Where CI runs, a missing browser is a failure and not a reason to test less.
const isMissing = program === undefined && !process.env.CI;

/** What a test that needs it is declared with. */
export const inChromium = { skip: isMissing ? "there is no Chromium: CHROMIUM can name one" : false };

/** @returns a browser, or null where tests are skipped */
export async function launchChromium(options = {}) {
  if (isMissing) return null;
  return chromium.launch({ executablePath: program, args: ["--no-sandbox"], timeout: patience, ...options });
}
