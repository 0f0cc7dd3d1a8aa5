// The page in Chromium, before a small server of the tests' own.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before } from "node:test";

import { launchChromium } from "./browser.js";
import { ChatServer } from "./chatserver.js";
import { patience } from "./wait.js";

export { inChromium } from "./browser.js";

const screenshots = process.env.SCREENSHOTS;

/**
 * A browser for the tests of a file.
 * @returns what opens the page; it must neither complain nor want what its policy forbids
 */
export function pages(launchOptions) {
  let browser;
  before(async () => {
    browser = await launchChromium(launchOptions);
  });
  after(() => browser?.close());

  return async function open(t, { server: settings = {}, ready = "#log-in", ...browserOptions } = {}) {
    const server = await ChatServer.listen();
    Object.assign(server, settings);
    const context = await browser.newContext({ locale: "en-US", ...browserOptions });
    context.setDefaultTimeout(patience);
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective}`));
    });
    const page = await context.newPage();
    const complaints = [];
    // That a connection cannot be made is what some tests are about, and no page can keep Chromium from writing it.
    page.on("console", (line) => {
      if (!["error", "warning"].includes(line.type()) || /^WebSocket connection to/.test(line.text())) return;
      complaints.push(line.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    t.after(async () => {
      await context.close();
      await server.close();
      assert.deepEqual(complaints, []);
    });
    await page.goto(server.url);
    await page.locator(ready).waitFor();
    return { server, context, page, complaints };
  };
}

export async function logIn(page, name) {
  await page.locator("#name").fill(name);
  await page.locator("#log-in").click();
  await page.locator("#rooms-title").waitFor();
}

export async function enter(page, room) {
  await page.locator(`[data-room="${room}"]`).click();
  await page.locator("#message").waitFor();
}

export async function say(page, text) {
  await page.locator("#message").fill(text);
  await page.locator("#message").press("Enter");
}

/** Waits until the server has these users. */
export async function hasUsers(server, ...users) {
  const end = Date.now() + patience;
  while (String(server.users) !== String(users)) {
    if (Date.now() > end) throw new Error(`there are ${server.users}, and not ${users}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Breaks a user's connection, and lets the time of the page stand still before the next try. */
export async function breakOff(server, page) {
  server.isAccepting = false;
  await page.clock.pauseAt(Date.now() + 60_000);
  server.dropAll();
  await shows(page, "#state-text", "Reconnecting");
  await shows(page, "#countdown", "Next try in 1 s");
}

export async function picture(page, name) {
  if (!screenshots) return;
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`), animations: "disabled" });
}

/**
 * Waits until something that is looked at in the page is so. It looks by the clock: a busy machine may draw no frame for
 * long, which is what it would wait for otherwise.
 */
export const until = (page, look, argument) => page.waitForFunction(look, argument, { timeout: patience, polling: 20 });
export const focused = (page, id) => until(page, (wanted) => document.activeElement?.id === wanted, id);
export const shows = (page, selector, text) =>
  until(page, ([where, what]) => document.querySelector(where)?.textContent?.trim() === what, [selector, text]);
