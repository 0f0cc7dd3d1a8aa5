// A connection that breaks under the page.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Result } from "../protocol.js";
import { languages } from "../texts.js";
import { breakOff, enter, focused, inChromium, logIn, pages, say, shows, until } from "./support/page.js";

const options = inChromium;
const open = pages();

test("a broken connection comes back", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 4);
  await say(page, "before");
  await page.locator(".own").waitFor();
  await page.clock.install();
  await breakOff(server, page);
  await say(page, "kept");
  await shows(page, "#composer-error", languages.en.notConnected);
  assert.equal(await page.locator("#message").inputValue(), "kept");
  assert.equal(await page.locator("#leave").getAttribute("aria-disabled"), "true");
  await page.locator("#leave").click({ force: true }); // cannot be done now
  await shows(page, "#composer-error", languages.en.leaveLater);
  await page.locator("#try-now").focus();
  await page.keyboard.press("Enter"); // in vain
  await until(page, () => document.getElementById("try-now").getAttribute("aria-disabled") === "false");
  server.isAccepting = true;
  server.loginResults = [Result.LOGIN_USER_ALREADY]; // the old login is still held
  await page.keyboard.press("Enter");
  await shows(page, "#countdown", "Next try in 1 s");
  await focused(page, "try-now");
  await page.keyboard.press("Enter");
  await shows(page, "#state-text", "Connected");
  await focused(page, "message");
  await shows(page, ".note:last-child", "You are in the room again.");
  await shows(page, "#composer-error", "");
  assert.equal(await page.locator("#leave").getAttribute("aria-disabled"), "false");
  assert.equal(await page.locator(".own .words").textContent(), "before", "what was said is still there");
  await page.keyboard.press("Enter");
  await until(page, () => document.querySelectorAll(".own").length === 2);
  assert.deepEqual(server.said, ["before", "kept"]);
});

test("the wait is counted down, and a try follows", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await page.clock.install();
  await breakOff(server, page);
  for (const seconds of [1, 2, 3]) { // each wait is at most 0.5, 1, 2 and 4 seconds, and at least half of that
    await page.clock.runFor(2 ** (seconds - 1) * 500);
    await until(page, () => document.getElementById("try-now").getAttribute("aria-disabled") === "false");
  }
  server.isAccepting = true;
  await page.clock.runFor(4000);
  await shows(page, "#state-text", "Connected");
});

for (const [what, happen] of Object.entries({
  "the network is back": () => dispatchEvent(new Event("online")),
  "the reader is back": () => document.dispatchEvent(new Event("visibilitychange")),
})) {
  test(`the next try does not wait when ${what}`, options, async (t) => {
    const { server, page } = await open(t);
    await logIn(page, "bob");
    await page.clock.install();
    await breakOff(server, page);
    server.isAccepting = true;
    await page.evaluate(happen);
    await shows(page, "#state-text", "Connected");
  });
}

test("the room is full when the connection comes back", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 4);
  server.mostInRoom = 0;
  server.dropAll();
  await shows(page, "#rooms-error", "You are no longer in room 4: This room is full (54).");
  await focused(page, "rooms-title");
  await page.getByRole("button", { name: "한국어" }).click();
  await shows(page, "#rooms-error", "4번 방에서 나오게 되었습니다. 방이 가득 찼습니다 (54).");
});

test("a connection that died without a word is found out when the network is back", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 2);
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await say(page, "there");
  await shows(page, ".own .words", "there");
  await page.clock.runFor(20_000); // the server is there, and nothing happens
  await shows(page, "#state-text", "Connected");
  server.isDeaf = true;
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await page.clock.runFor(5_000);
  await shows(page, "#state-text", "Reconnecting");
  server.isDeaf = false;
  server.dropAll();
  await page.clock.runFor(1_000);
  await shows(page, "#state-text", "Connected");
  await shows(page, "#room-title", "Room 2");
});

test("another server is there when the connection comes back", options, async (t) => {
  const { server, page } = await open(t, { server: { messageOfTheDay: "Welcome" } });
  await logIn(page, "bob");
  await enter(page, 4);
  server.announce("before");
  await page.locator("#log .announcement").waitFor();
  assert.equal(server.configsLoaded, 1);
  // Its configuration takes a while; until then nobody can be taken for the announcer.
  let answer;
  const asked = new Promise((resolve) => page.route("**/config.json", (route) => {
    answer = () => route.continue();
    resolve();
  }));
  server.config = { firstRoom: 1, rooms: 3, announcer: "ADMIN" };
  server.dropAll();
  await asked;
  await shows(page, "#rooms-error", "You are no longer in room 4: There is no such room (61).");
  server.announce("by ADMIN, too early");
  server.tellAll("SERVER", "I am not");
  await page.locator("#notices .other").first().waitFor();
  assert.equal(await page.locator("#notices .announcement").count(), 1, "the one from before");
  answer();
  await page.locator("[data-room='4']").waitFor({ state: "detached" });
  await page.getByText("I am not").waitFor();
  server.announce("after");
  await page.getByText("after", { exact: true }).waitFor();
  assert.deepEqual(await page.locator("#notices .line").evaluateAll((lines) =>
    lines.map((line) => [line.classList[1], line.querySelector(".words").textContent])),
  [["announcement", "Welcome"], ["other", "by ADMIN, too early"], ["other", "I am not"], ["announcement", "after"]]);
  await shows(page, "#rooms-error", "You are no longer in room 4: There is no such room (61).");
});

test("the same announcer is known again after a break", options, async (t) => {
  const { server, page } = await open(t, { server: { messageOfTheDay: "Welcome" } });
  await logIn(page, "bob");
  await enter(page, 4);
  server.dropAll();
  await page.locator("#log .announcement").waitFor();
  assert.equal(await page.locator("#log .announcement .words").textContent(), "Welcome");
});
