// A visit that outlasts the page: a reload, and the browser's Back and Forward.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Result } from "../protocol.js";
import { languages } from "../texts.js";
import { enter, focused, hasUsers, inChromium, logIn, pages, say, shows, until } from "./support/page.js";

const options = inChromium;
// Playwright turns the cache of pages off that people's browsers have.
const open = pages({ ignoreDefaultArgs: ["--disable-back-forward-cache"] });

const elsewhere = "data:text/html,elsewhere";
const lines = (page) => page.locator("#log .line").evaluateAll((all) =>
  all.map((line) => (line.querySelector(".words") ?? line).textContent));
const room = (page) => page.evaluate(() => history.state?.room ?? null);

test("whoever goes to another page has gone, and comes back to where they were", options, async (t) => {
  const { server, page } = await open(t);
  await page.evaluate(() => addEventListener("pageshow", ({ persisted }) => { globalThis.wasKept = persisted; }));
  await logIn(page, "bob");
  await enter(page, 2);
  await say(page, "before");
  await page.locator(".own").waitFor();
  await page.locator("#message").fill("half a sen");
  await page.goto(elsewhere);
  await hasUsers(server);
  server.say("ann", "not heard", 2);
  await page.goBack({ waitUntil: "commit" });
  await shows(page, ".note:last-child", "You are in the room again.");
  assert.equal(await page.evaluate(() => globalThis.wasKept), true, "Chromium has kept the page");
  await shows(page, "#state-text", "Connected");
  assert.deepEqual(server.users, ["bob"]);
  assert.deepEqual(await lines(page), [languages.en.alone, "before", languages.en.restored]);
  assert.equal(await page.locator("#message").inputValue(), "half a sen");
  await say(page, "after");
  await until(page, () => document.querySelectorAll(".own").length === 2);
  await page.locator("#leave").click();
  await focused(page, "rooms-title");
});

test("a page that was kept, and another has taken the name", options, async (t) => {
  const { server, context, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 2);
  await say(page, "before");
  await page.goto(elsewhere);
  await hasUsers(server);
  const other = await context.newPage();
  await other.goto(server.url);
  await logIn(other, "bob");
  await page.goBack({ waitUntil: "commit" });
  await page.bringToFront();
  await shows(page, "#login-error", languages.en.result_31);
  await focused(page, "name");
  assert.equal(await room(page), null);
  assert.equal(await page.locator("#log").textContent(), "");
  await logIn(page, "ann");
});

test("a page that was kept while nobody was logged in", options, async (t) => {
  const { page } = await open(t);
  await page.goto(elsewhere);
  await page.goBack({ waitUntil: "commit" });
  await logIn(page, "bob");
});

test("a reload goes on with the visit", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await page.reload();
  await page.locator("#rooms-title").waitFor();
  await shows(page, "#greeting", "Hello, bob");
  await enter(page, 3);
  server.loginResults = [Result.LOGIN_USER_ALREADY]; // it is not noticed at once that the old page is gone
  await page.reload();
  await shows(page, "#room-title", "Room 3");
  await focused(page, "message");
  assert.deepEqual(await lines(page), [languages.en.restored]);
  assert.deepEqual(await page.evaluate(() => Object.values(sessionStorage)), ['{"user":"bob","room":3}']);
  await page.locator("#leave").click();
  await focused(page, "rooms-title");
  assert.deepEqual(await page.evaluate(() => Object.values(sessionStorage)), ['{"user":"bob","room":null}']);
  await page.locator("#log-out").click();
  await focused(page, "name");
  assert.deepEqual(await page.evaluate(() => Object.values(sessionStorage)), []);
  await page.reload();
  await focused(page, "name");
  assert.deepEqual(server.users, []);
});

test("after a reload the room is full", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 3);
  server.mostInRoom = 0;
  await page.reload();
  await shows(page, "#rooms-error", languages.en.result_54);
  await until(page, () => history.state === null);
  await shows(page, "#greeting", "Hello, bob");
});

test("a kick ends the visit", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 3);
  server.kick("bob");
  await focused(page, "name");
  await until(page, () => history.state === null);
  await page.reload();
  await focused(page, "name");
  await shows(page, "#log-in", "Log in");
  assert.deepEqual(server.users, []);
});

test("going on with a visit can be cancelled", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 3);
  server.isDeaf = true;
  await page.reload();
  await page.getByRole("button", { name: "Cancel" }).click();
  await shows(page, "#log-in", "Log in");
  assert.equal(await page.locator("#name").inputValue(), "bob");
  await until(page, () => history.state === null);
  assert.deepEqual(await page.evaluate(() => Object.values(sessionStorage)), []);
});

for (const [what, kept] of Object.entries({
  "nothing": null, "no JSON": "x", "a number": "5", "no name": "{}", "a name that is none": '{"user":"","room":3}',
})) {
  test(`what is remembered is ${what}`, options, async (t) => {
    const { page } = await open(t);
    await page.evaluate((text) => (text === null ? 0 : sessionStorage.setItem("chat-visit", text)), kept);
    await page.reload();
    await logIn(page, "bob");
  });
}

test("a browser that keeps nothing has visits, too", options, async (t) => {
  const { context, page } = await open(t);
  await context.addInitScript(() => {
    Object.defineProperty(globalThis, "sessionStorage", { get() { throw new DOMException("no", "SecurityError"); } });
  });
  await page.reload();
  await logIn(page, "bob");
  await enter(page, 2);
  await page.goto(elsewhere);
  await page.goBack({ waitUntil: "commit" });
  await shows(page, ".note:last-child", "You are in the room again.");
  await page.reload();
  await focused(page, "name");
  await until(page, () => history.state === null);
});

test("Back leaves the room, Forward enters it, and Back from the rooms leaves the page", options, async (t) => {
  const { server, page } = await open(t);
  await page.goto(elsewhere);
  await page.goto(server.url);
  await logIn(page, "bob");
  await enter(page, 3);
  await page.goBack();
  await focused(page, "rooms-title");
  await page.goForward();
  await shows(page, "#room-title", "Room 3");
  await focused(page, "message");
  await page.locator("#leave").click();
  await focused(page, "rooms-title");
  await until(page, () => history.state === null);
  await enter(page, 5);
  assert.equal(await room(page), 5);
  await page.goBack();
  await focused(page, "rooms-title");
  await page.goBack();
  await page.waitForURL(elsewhere);
});

test("leaving, and another room at once", options, async (t) => {
  const { page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 3);
  // The history takes its time, and so the next room may come before it.
  await page.evaluate(() => {
    const back = history.back.bind(history);
    history.back = () => setTimeout(back, 300);
  });
  await page.locator("#leave").click();
  await enter(page, 5);
  await page.evaluate(() => new Promise((resolve) => addEventListener("popstate", resolve, { once: true })));
  assert.equal(await room(page), 5);
  await shows(page, "#room-title", "Room 5");
  await page.locator("#leave").click();
  await page.locator("#log-out").click();
  await focused(page, "name");
  await until(page, () => history.state === null);
});

test("Back while the connection is away, and Forward to a room that is full", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 3);
  server.isAccepting = false;
  server.dropAll();
  await page.locator("#trouble").waitFor();
  await page.goBack();
  await shows(page, "#composer-error", languages.en.leaveLater);
  assert.equal(await room(page), 3);
  server.isAccepting = true;
  await page.locator("#try-now").click();
  await page.locator("#trouble").waitFor({ state: "hidden" });
  await shows(page, "#composer-error", "");
  await page.goBack();
  await focused(page, "rooms-title");
  server.mostInRoom = 0;
  await page.goForward();
  await shows(page, "#rooms-error", languages.en.result_54);
  await until(page, () => history.state === null);
});
