// The log of messages, and where its reader is.

import assert from "node:assert/strict";
import { test } from "node:test";

import { enter, focused, inChromium, logIn, pages, picture, say, until } from "./support/page.js";

const options = inChromium;
const open = pages();

test("the log is bounded, and stays where its reader is", options, async (t) => {
  const { server, page } = await open(t, { viewport: { width: 800, height: 600 } });
  await logIn(page, "bob");
  await enter(page, 1);
  const log = page.locator("#log");
  const atEnd = () => until(page, () => {
    const { scrollHeight, scrollTop, clientHeight } = document.getElementById("log");
    return scrollHeight - scrollTop - clientHeight < 2;
  });
  for (let i = 0; i < 990; i++) server.say("ann", `line ${i}`, 1);
  await page.getByText("line 989", { exact: true }).waitFor();
  await atEnd();
  await log.hover();
  await page.mouse.wheel(0, -2000);
  await until(page, () => {
    const { scrollHeight, scrollTop, clientHeight } = document.getElementById("log");
    return scrollHeight - scrollTop - clientHeight > 1500;
  });
  // The first line that is to be seen, and where it is.
  const top = () => page.evaluate(() => {
    const edge = document.getElementById("log").getBoundingClientRect().top;
    const line = [...document.querySelectorAll("#log .line")].find((each) => each.getBoundingClientRect().top >= edge);
    return [line.querySelector(".words").textContent, Math.round(line.getBoundingClientRect().top)];
  });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const before = await top();
  for (let i = 990; i < 1200; i++) server.say("ann", `line ${i}`, 1);
  await until(page, () => document.querySelector("#log .line:last-child .words").textContent === "line 1199");
  await until(page, () => document.querySelectorAll("#log .line").length === 1000);
  assert.deepEqual(await top(), before);
  const below = page.getByRole("button", { name: "New messages below" });
  await picture(page, "new-below");
  await below.click();
  await below.waitFor({ state: "hidden" });
  await atEnd();
  await focused(page, "log");
  server.say("ann", "the last", 1);
  await page.getByText("the last").waitFor();
  await atEnd();
  assert.equal(await below.isVisible(), false);
});

const fromEnd = (page) => page.evaluate(() => {
  const { scrollHeight, scrollTop, clientHeight } = document.getElementById("log");
  return scrollHeight - scrollTop - clientHeight;
});
const isAtEnd = (page) => until(page, () => {
  const { scrollHeight, scrollTop, clientHeight } = document.getElementById("log");
  return scrollHeight - scrollTop - clientHeight < 2;
});

/** Somebody in a room where much was said. */
async function inFullRoom(t) {
  const { server, page } = await open(t, { viewport: { width: 800, height: 600 } });
  await logIn(page, "bob");
  await enter(page, 1);
  for (let i = 0; i < 60; i++) server.say("ann", `line ${i}`, 1);
  await page.getByText("line 59", { exact: true }).waitFor();
  await isAtEnd(page);
  return { server, page };
}

for (const [what, goUp] of Object.entries({
  "a touchpad": async (page) => {
    await page.locator("#log").hover();
    for (let i = 0; i < 30; i++) {
      await page.mouse.wheel(0, -4);
      await page.evaluate(() => new Promise(requestAnimationFrame));
    }
  },
  "the arrow": async (page) => {
    for (let i = 0; i < 5; i++) await page.keyboard.press("ArrowUp");
  },
  "Page Up": (page) => page.keyboard.press("PageUp"),
  "Home": (page) => page.keyboard.press("Home"),
})) {
  test(`the log can be scrolled up in small steps: ${what}`, options, async (t) => {
    const { server, page } = await inFullRoom(t);
    await page.locator("#log").focus();
    await goUp(page);
    await until(page, () => {
      const { scrollHeight, scrollTop, clientHeight } = document.getElementById("log");
      return scrollHeight - scrollTop - clientHeight > 100;
    });
    server.say("ann", "one more", 1);
    await page.locator("#below").waitFor();
    assert.ok(await fromEnd(page) > 100);
    await page.keyboard.press("End");
    await page.locator("#below").waitFor({ state: "hidden" });
    await isAtEnd(page);
  });
}

test("a few pixels from the end are not taken back, and the end is not followed from there", options, async (t) => {
  const { server, page } = await inFullRoom(t);
  await page.locator("#log").hover();
  await page.mouse.wheel(0, -20);
  await until(page, () => {
    const { scrollHeight, scrollTop, clientHeight } = document.getElementById("log");
    return Math.abs(scrollHeight - scrollTop - clientHeight - 20) < 2;
  });
  server.say("ann", "one more", 1);
  await page.locator("#below").waitFor();
  assert.ok(await fromEnd(page) > 20);
});

test("lines of the frame in which the reader goes up are told of", options, async (t) => {
  const { page } = await inFullRoom(t);
  // As two things at the same moment are hard to come by, another log of the same kind is in the same place.
  await page.evaluate(async () => {
    const { MessageLog } = await import("/messages.js");
    const element = document.getElementById("log");
    const other = element.cloneNode();
    element.replaceWith(other);
    const frame = () => new Promise(requestAnimationFrame);
    const log = new MessageLog(other, 1000, document.getElementById("below"));
    for (let i = 0; i < 60; i++) log.add("other", "ann", `line ${i}`, new Date());
    for (let i = 0; i < 3; i++) await frame(); // it is at the end, and nothing is due
    other.scrollTop -= 200;
    log.add("other", "ann", "in the same frame", new Date());
  });
  await page.locator("#below").waitFor();
});

test("who says something sees it", options, async (t) => {
  const { page } = await inFullRoom(t);
  await page.locator("#log").hover();
  await page.mouse.wheel(0, -800);
  await until(page, () => {
    const { scrollHeight, scrollTop, clientHeight } = document.getElementById("log");
    return scrollHeight - scrollTop - clientHeight > 700;
  });
  await page.locator("#message").fill("here I am");
  await page.locator("#message").press("Enter");
  await page.locator(".own").waitFor();
  await isAtEnd(page);
  assert.equal(await page.locator("#below").isVisible(), false);
});
