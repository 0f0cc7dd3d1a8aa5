// What is said in a room.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Result } from "../protocol.js";
import { languages } from "../texts.js";
import { enter, focused, inChromium, logIn, pages, say, shows, until } from "./support/page.js";

const options = inChromium;
const open = pages();

test("a message that is too long is not sent, and says why", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 1);
  await say(page, "가".repeat(86));
  await shows(page, "#composer-error", "The message has 258 bytes; at most 256 can be sent. Please shorten it.");
  await shows(page, "#message-count", "2 bytes too long: at most 256 fit");
  await page.getByRole("button", { name: "Send" }).click();
  assert.equal((await page.locator("#message").inputValue()).length, 86);
  await page.locator("#message").press("Backspace");
  await shows(page, "#message-count", "1 byte left");
  await shows(page, "#composer-error", "");
  await page.locator("#message").press("Space"); // which is not sent
  await shows(page, "#message-count", "1 byte left");
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".own").waitFor();
  await say(page, "  \n "); // nothing
  await say(page, "one\ntwo");
  await until(page, () => document.querySelectorAll(".own").length === 2);
  assert.deepEqual(server.said, ["가".repeat(85), "one two"]);
  await focused(page, "message");
});

test("Enter while a syllable is composed does not send", options, async (t) => {
  const { server, context, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 1);
  const input = page.locator("#message");
  await input.focus();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Input.insertText", { text: "안" });
  await devtools.send("Input.imeSetComposition", { text: "녀", selectionStart: 1, selectionEnd: 1 });
  // As browsers report the Enter that ends a syllable: while composing, and after that by its code only.
  await input.evaluate((element) => {
    element.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true }));
    element.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true, cancelable: true }));
  });
  await devtools.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Enter", code: "Enter", windowsVirtualKeyCode: 229 });
  await devtools.send("Input.imeSetComposition", { text: "녕", selectionStart: 1, selectionEnd: 1 });
  assert.equal(await input.inputValue(), "안녕");
  assert.deepEqual(server.said, []);
  await devtools.send("Input.insertText", { text: "녕" }); // the syllable is done
  await input.press("Enter");
  await shows(page, ".own .words", "안녕");
  assert.equal(await input.inputValue(), "");
  assert.deepEqual(server.said, ["안녕"]);
});

test("what others write is text and nothing else", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "<b>bob</b>");
  await shows(page, "#greeting", "Hello, <b>bob</b>");
  await enter(page, 1);
  const attack = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
  server.say("<i>eve</i>", attack, 1);
  await shows(page, ".other .words", attack);
  await shows(page, ".other .author", "<i>eve</i>");
  await say(page, attack);
  await shows(page, ".own .words", attack);
  assert.equal(await page.locator(".line img, .line script, .line i, .line b").count(), 0);
  assert.equal(await page.title(), "Room 1 – Chat");
  server.say("a\u202eb\u200b", "x\n\n\ny\u0007", 1);
  await until(page, () => document.querySelectorAll(".other").length === 2);
  assert.equal(await page.locator(".other .author").last().textContent(), "a\\u{202e}b\\u{200b}");
  assert.equal(await page.locator(".other .words").last().textContent(), "x ⏎  ⏎  ⏎ y\ufffd");
});

test("who wrote can be told", options, async (t) => {
  const { server, page } = await open(t, { server: { messageOfTheDay: "Welcome" } });
  await logIn(page, "bob");
  await shows(page, "#notices .words", "Welcome");
  await enter(page, 1);
  await say(page, "mine");
  await page.locator(".own").waitFor();
  server.say("bob ", "not mine", 1);
  server.say("SERVER ", "no announcement", 1);
  server.announce("Restart");
  await page.locator("#log .announcement").waitFor();
  const lines = await page.locator("#log .line:not(.note)").evaluateAll((all) =>
    all.map((line) => [line.classList[1], line.querySelector(".author").textContent, line.querySelector(".words").textContent]));
  assert.deepEqual(lines, [["own", "You", "mine"], ["other", "bob\\u{20}", "not mine"], ["other", "SERVER\\u{20}", "no announcement"],
    ["announcement", "Announcement SERVER", "Restart"]]);
  for (const time of await page.locator("#log time").all()) assert.match(await time.getAttribute("datetime"), /^\d{4}-\d\d-\d\dT/);
});

test("who has been there longest", options, async (t) => {
  const { server, context, page } = await open(t);
  await logIn(page, "ann");
  await enter(page, 1);
  await shows(page, ".note", "Nobody else is here yet.");
  const other = await context.newPage();
  await other.goto(server.url);
  await logIn(other, "bob");
  await enter(other, 1);
  await shows(other, ".note", "ann has been here longest.");
  await say(other, "hi ann");
  await shows(page, ".other .words", "hi ann");
});

const notes = (page) => page.locator("#log .note").allTextContents();

test("the server refuses a message, with a code that nobody knows", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 1);
  server.chatResults = [99, Result.ROOM_TOO_MANY_PACKET];
  await say(page, "hi");
  await shows(page, "#composer-error", "The server refused it (99).");
  assert.equal(await page.locator("#message").inputValue(), "hi");
  await page.locator("#message").press("Enter");
  await shows(page, "#composer-error", languages.en.result_63);
});

test("what may not have arrived is not lost", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 1);
  server.isDeaf = true;
  await say(page, "one");
  await say(page, "two");
  server.dropAll();
  server.isDeaf = false;
  await shows(page, ".note:last-child", "You are in the room again.");
  await shows(page, "#composer-error", languages.en.unknownOutcome);
  assert.equal(await page.locator("#message").inputValue(), "one");
  assert.deepEqual((await notes(page)).slice(1), [languages.en.interrupted,
    `Your message “two”: ${languages.en.unknownOutcome}`, "You are in the room again."]);
  await page.getByRole("button", { name: "한국어" }).click();
  await shows(page, "#composer-error", languages.ko.unknownOutcome);
  assert.equal((await notes(page))[2], `보낸 메시지 “two”: ${languages.ko.unknownOutcome}`);
});

test("what may not have arrived is not lost to who writes on", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 1);
  server.isDeaf = true;
  await say(page, "one");
  await say(page, "two");
  await page.locator("#message").fill("thr");
  server.dropAll();
  server.isDeaf = false;
  await shows(page, ".note:last-child", "You are in the room again.");
  assert.equal(await page.locator("#message").inputValue(), "thr");
  assert.deepEqual((await notes(page)).slice(2, -1).map((note) => note.slice(0, 18)),
    ["Your message “one”", "Your message “two”"]);
});

test("a kick takes the conversation and leaves what was not said; logging out takes both", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 1);
  await say(page, "before");
  await page.locator(".own").waitFor();
  server.isDeaf = true;
  await say(page, "one");
  await say(page, "two");
  server.kick("bob");
  await page.locator("#log-in").waitFor();
  server.isDeaf = false;
  assert.equal(await page.locator("#log").textContent(), "");
  await logIn(page, "bob");
  await enter(page, 1);
  assert.equal(await page.locator("#message").inputValue(), "one two");
  server.isDeaf = true;
  await page.locator("#message").press("Enter"); // it is on its way when the user goes
  await page.locator("#log-out").click();
  await page.locator("#log-in").waitFor();
  assert.equal(await page.locator("#message").inputValue(), "");
  assert.equal(await page.locator("#log").textContent(), "");
});

test("what was not said is not for somebody else", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 1);
  await page.locator("#message").fill("a secret");
  server.kick("bob");
  await page.locator("#log-in").waitFor();
  await logIn(page, "eve");
  await enter(page, 1);
  assert.equal(await page.locator("#message").inputValue(), "");
});

test("nobody was there before somebody spoke", options, async (t) => {
  const { page } = await open(t, { server: { firstWords: "just came" } });
  await logIn(page, "bob");
  await enter(page, 1);
  await shows(page, ".other .words", "just came");
  assert.deepEqual(await page.locator("#log .line").evaluateAll((lines) => lines.map((line) => line.classList[1])), ["note", "other"]);
});

test("who leaves a room that the server has them not in comes to the rooms", options, async (t) => {
  const { server, page } = await open(t);
  await logIn(page, "bob");
  await enter(page, 1);
  server.leaveResults = [Result.LEAVE_ROOM_INVALID_ROOM_INDEX];
  await page.locator("#leave").click();
  await focused(page, "rooms-title");
});
