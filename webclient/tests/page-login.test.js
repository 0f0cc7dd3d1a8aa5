// Logging in, and choosing a room.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Result } from "../protocol.js";
import { languages } from "../texts.js";
import { enter, focused, inChromium, logIn, pages, say, shows } from "./support/page.js";

const options = inChromium;
const open = pages();

test("results of a login in words", options, async (t) => {
  const { server, page } = await open(t);
  for (const code of [12, 31, 32, 99]) {
    server.loginResults = [code];
    await page.locator("#name").fill(`bob${code}`);
    await page.locator("#log-in").click();
    await shows(page, "#login-error", languages.en[`result_${code}`] ?? languages.en.result({ code }));
    await shows(page, "#log-in", "Log in");
    await focused(page, "name");
  }
  await page.getByRole("button", { name: "한국어" }).click();
  await shows(page, "#login-error", "서버가 거절했습니다 (99).");
  await logIn(page, "bob");
});

test("the announcer's name is taken", options, async (t) => {
  const { page } = await open(t);
  await page.locator("#name").fill("SERVER");
  await page.locator("#log-in").click();
  await shows(page, "#login-error", languages.en.result_31);
});

test("the bytes of a name are counted", options, async (t) => {
  const { page } = await open(t);
  const count = page.locator("#name-count");
  await page.locator("#name").fill("가나다");
  assert.equal(await count.textContent(), "");
  await page.locator("#name").fill("가나다라마");
  assert.equal(await count.textContent(), "5 bytes left");
  await page.locator("#name").fill("가나다라마바a");
  assert.equal(await count.textContent(), "1 byte left");
  await page.locator("#name").fill("가나다라마바사");
  assert.equal(await count.textContent(), "1 byte too long: at most 20 fit");
  assert.equal(await page.locator("#name").getAttribute("aria-invalid"), "true");
  await page.locator("#log-in").click();
  await shows(page, "#login-error", languages.en["name_too-long"]);
  await shows(page, "#state-text", "");
  await page.locator("#name").fill(`  ${"x".repeat(16)}  `);
  assert.equal(await count.textContent(), "4 bytes left", "spaces around it are not sent");
});

test("rooms are chosen by number if there are many", options, async (t) => {
  const { server, page } = await open(t, { server: { config: { firstRoom: 100, rooms: 500, announcer: "SERVER" } } });
  await logIn(page, "bob");
  await shows(page, "#room-label", "Room number, 100 to 599");
  assert.equal(await page.locator("#room-list button").count(), 0);
  const field = page.locator("#room-number");
  await focused(page, "room-number");
  for (const wrong of ["", "99", "600", "100.5"]) {
    await field.fill(wrong);
    await field.press("Enter");
    await shows(page, "#rooms-error", "Rooms have numbers from 100 to 599.");
  }
  server.mostInRoom = 0;
  await field.fill("599");
  await field.press("Enter");
  await shows(page, "#rooms-error", languages.en.result_54);
  server.mostInRoom = 1;
  await field.press("Enter");
  await shows(page, "#room-title", "Room 599");
});

test("two clicks where one is meant", options, async (t) => {
  const { server, page } = await open(t);
  await page.locator("#name").fill("bob");
  await page.locator("#log-in").dblclick();
  await page.locator("#rooms-title").waitFor();
  await page.locator("[data-room='2']").evaluate((button) => { button.click(); button.click(); });
  await page.locator("#leave").evaluate((button) => { button.click(); button.click(); });
  await page.locator("#rooms-title").waitFor();
  await enter(page, 3);
  await say(page, "still here");
  await shows(page, ".own .words", "still here");
  assert.deepEqual(server.said, ["still here"]);
});

test("log out while the connection is broken", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  server.isAccepting = false;
  server.dropAll();
  await page.locator("#trouble").waitFor();
  await page.locator("#log-out").click();
  await shows(page, "#state-text", "Not connected");
  await page.locator("#trouble").waitFor({ state: "hidden" });
  await page.locator("#log-in").click();
  await shows(page, "#login-error", languages.en.closed_unreachable);
  server.isAccepting = true;
  await logIn(page, "bob");
});

test("a kicked user may log in again", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 1);
  server.kick("bob");
  await shows(page, "#login-error", languages.en.closed_server);
  await focused(page, "name");
  assert.equal(await page.locator("#name").inputValue(), "bob");
  await page.keyboard.press("Enter");
  await focused(page, "rooms-title");
});

test("a server without its configuration", options, async (t) => {
  const { page } = await open(t);
  await page.route("**/config.json", (route) => route.fulfill({ status: 200, body: "no JSON" }));
  await page.locator("#name").fill("bob");
  await page.locator("#log-in").click();
  await shows(page, "#login-error", languages.en.closed_unreachable);
});

test("a name that will not do is marked", options, async (t) => {
  const { server, page } = await open(t);
  const field = page.locator("#name");
  const marked = () => field.getAttribute("aria-invalid");
  assert.equal(await marked(), null);
  await field.press("Enter");
  await shows(page, "#login-error", languages.en.name_empty);
  assert.equal(await marked(), "true");
  await field.evaluate((input) => { // as a script of an extension might do it
    input.value = "b\u0007b";
    input.dispatchEvent(new Event("input"));
  });
  assert.equal(await marked(), "false");
  await field.press("Enter");
  await shows(page, "#login-error", languages.en["name_has-control"]);
  assert.equal(await marked(), "true");
  for (const [code, isOfName] of [[Result.LOGIN_USER_ALREADY, "true"], [Result.USER_MGR_INVALID_USER_UNIQUEID, "true"],
    [Result.LOGIN_USER_USED_ALL_OBJ, "false"]]) {
    server.loginResults = [code];
    await field.fill("bob");
    await field.press("Enter");
    await shows(page, "#login-error", languages.en[`result_${code}`]);
    assert.equal(await marked(), isOfName, `${code}`);
    await focused(page, "name");
  }
});

test("a fresh page does not look like a fault", options, async (t) => {
  const { server, page } = await open(t);
  const pill = () => page.locator("#state").evaluate((state) =>
    [state.textContent, getComputedStyle(state, "::before").content, getComputedStyle(state).backgroundColor]);
  assert.deepEqual(await pill(), ["", "none", "rgba(0, 0, 0, 0)"]);
  server.isAccepting = false;
  await page.locator("#name").fill("bob");
  await page.locator("#log-in").click();
  await shows(page, "#state-text", "Not connected");
});

test("logging in can be cancelled", options, async (t) => {
  const { server, page } = await open(t, { server: { isDeaf: true } });
  await page.clock.install();
  await page.locator("#name").fill("bob");
  await page.locator("#log-in").click();
  await shows(page, "#state-text", "Connected");
  await shows(page, "#log-in", "Logging in…");
  assert.equal(await page.locator("#cancel").isVisible(), false, "not yet: a second click is not meant for it");
  await page.clock.runFor(1000);
  await page.getByRole("button", { name: "Cancel" }).click();
  await shows(page, "#log-in", "Log in");
  await shows(page, "#state-text", "Not connected");
  await shows(page, "#login-error", "");
  await focused(page, "name");
  assert.equal(await page.locator("#cancel").isVisible(), false);
  server.isDeaf = false;
  await logIn(page, "bob");
});

test("waiting for the configuration can be cancelled", options, async (t) => {
  const { page } = await open(t);
  await page.clock.install();
  const asked = new Promise((resolve) => page.route("**/config.json", resolve, { times: 1 })); // and never answered
  await page.locator("#name").fill("bob");
  await page.locator("#log-in").click();
  await asked;
  await page.clock.runFor(1000);
  await page.getByRole("button", { name: "Cancel" }).click();
  await shows(page, "#log-in", "Log in");
  await shows(page, "#login-error", "");
  await logIn(page, "bob");
});

test("a server without rooms", options, async (t) => {
  const { page } = await open(t, { server: { config: { firstRoom: 1, rooms: 0, announcer: "SERVER" } } });
  await logIn(page, "bob");
  await shows(page, "#no-rooms", languages.en.noRooms);
});

test("a configuration that is none", options, async (t) => {
  const { page } = await open(t, { server: { config: { firstRoom: 1 } } });
  await page.locator("#name").fill("bob");
  await page.locator("#log-in").click();
  await shows(page, "#login-error", languages.en.closed_unreachable);
});

test("on a phone nothing opens the keyboard among the rooms", options, async (t) => {
  const { page } = await open(t, {
    isMobile: true, hasTouch: true, server: { config: { firstRoom: 1, rooms: 100, announcer: "SERVER" } },
  });
  await logIn(page, "bob");
  await focused(page, "rooms-title");
});
