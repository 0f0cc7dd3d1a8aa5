// The languages of the page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Result } from "../protocol.js";
import { languages } from "../texts.js";
import { enter, inChromium, logIn, pages, say, shows } from "./support/page.js";

const options = inChromium;
const open = pages();

test("the language is the browser's, can be switched, and is remembered", options, async (t) => {
  const { server, page } = await open(t, { locale: "ko-KR" });
  await shows(page, "#login-title", "들어오세요");
  assert.equal(await page.evaluate(() => document.documentElement.lang), "ko");
  await logIn(page, "bob");
  await enter(page, 2);
  await shows(page, "#room-title", "2번 방");
  server.announce("Midnight");
  await shows(page, ".badge", "공지");
  await say(page, "hi");
  await shows(page, ".own .author", "나");
  assert.equal(await page.locator("#message").getAttribute("placeholder"), "메시지를 입력하세요");
  const koreanTime = await page.locator(".own time").textContent();
  await page.getByRole("button", { name: "English" }).click();
  await shows(page, "#room-title", "Room 2");
  await shows(page, ".badge", "Announcement");
  await shows(page, ".own .author", "You");
  await shows(page, ".note", "Nobody else is here yet.");
  assert.notEqual(await page.locator(".own time").textContent(), koreanTime);
  assert.equal(await page.locator("#message").getAttribute("aria-label"), "Message");
  assert.equal(await page.title(), "Room 2 – Chat");
  await page.reload();
  await shows(page, "#login-title", "Come in");
  await page.getByRole("button", { name: "한국어" }).click();
  await shows(page, "#login-title", "들어오세요");
});

test("a browser that keeps nothing", options, async (t) => {
  const { context, page } = await open(t);
  await context.addInitScript(() => {
    Object.defineProperty(globalThis, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } });
  });
  await page.reload();
  await page.getByRole("button", { name: "한국어" }).click();
  await shows(page, "#login-title", "들어오세요");
});

test("both languages have the same texts", () => {
  assert.deepEqual(Object.keys(languages.ko).sort(), Object.keys(languages.en).sort());
  for (const [key, text] of Object.entries(languages.en)) assert.equal(typeof languages.ko[key], typeof text, key);
  for (const code of Object.values(Result)) {
    if (code !== Result.NONE) assert.ok(`result_${code}` in languages.en, `there are words for ${code}`);
  }
});
