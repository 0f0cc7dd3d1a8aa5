// The page in Chromium, before a small server of the tests' own.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { languages } from "../texts.js";
import { Result } from "../protocol.js";
import { inChromium, launchChromium } from "./support/browser.js";
import { ChatServer } from "./support/chatserver.js";
import { patience } from "./support/wait.js";

const options = inChromium;
const screenshots = process.env.SCREENSHOTS;

let browser;

before(async () => {
  browser = await launchChromium();
});
after(() => browser?.close());

/** Opens the page; it must neither complain nor want what its policy forbids. */
async function open(t, { server: settings = {}, ...browserOptions } = {}) {
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
  await page.locator("#log-in").waitFor();
  return { server, context, page };
}

async function logIn(page, name) {
  await page.locator("#name").fill(name);
  await page.locator("#log-in").click();
  await page.locator("#rooms-title").waitFor();
}

async function enter(page, room) {
  await page.locator(`[data-room="${room}"]`).click();
  await page.locator("#message").waitFor();
}

async function say(page, text) {
  await page.locator("#message").fill(text);
  await page.locator("#message").press("Enter");
}

async function picture(page, name) {
  if (!screenshots) return;
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`), animations: "disabled" });
}

/** Waits until something that is looked at in the page is so. */
const until = (page, look, argument) => page.waitForFunction(look, argument, { timeout: patience });
const focused = (page, id) => until(page, (wanted) => document.activeElement?.id === wanted, id);
const shows = (page, selector, text) =>
  until(page, ([where, what]) => document.querySelector(where)?.textContent?.trim() === what, [selector, text]);

/** Some people talk. */
async function talk(page, server, room) {
  server.say("ann", "Hello everyone", room);
  server.say("ann", "Who is in for a round of cards tonight? I have two seats left and the snacks are ready.", room);
  server.say("홍길동", "안녕하세요! 저도 참여하고 싶어요. 몇 시에 시작하나요?", room);
  await say(page, "At eight, I think.");
  await say(page, "Room 7 has the better table, though 😀");
  await page.locator(".own.continues").waitFor();
  server.announce("The server will be restarted at midnight.");
  server.say("ann", "See you there", room);
  await page.getByText("See you there").waitFor();
}

for (const [name, browserOptions] of Object.entries({
  light: { viewport: { width: 1100, height: 720 } },
  dark: { viewport: { width: 1100, height: 720 }, colorScheme: "dark" },
  korean: { viewport: { width: 1100, height: 720 }, locale: "ko-KR" },
  phone: { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
  "phone-korean-dark": {
    viewport: { width: 360, height: 700 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2,
    locale: "ko-KR", colorScheme: "dark",
  },
  "phone-small": { viewport: { width: 320, height: 568 }, isMobile: true, hasTouch: true },
  "phone-on-its-side": { viewport: { width: 700, height: 320 }, isMobile: true, hasTouch: true },
})) {
  test(`a visit: ${name}`, options, async (t) => {
    const settings = { messageOfTheDay: "Welcome! The tournament starts at 20:00." };
    const { server, page } = await open(t, { ...browserOptions, server: settings });
    const fits = async (where) => {
      const wide = await page.evaluate(() => [...document.querySelectorAll("body *")].filter((element) => {
        const { left, right, width } = element.getBoundingClientRect();
        return width > 1 && (left < -0.5 || right > innerWidth + 0.5);
      }).map((element) => element.id || element.className || element.tagName));
      assert.deepEqual(wide, [], `${where}: nothing is wider than the screen`);
      const isWhole = await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight);
      assert.ok(isWhole, `${where}: the page does not scroll`);
    };
    await page.locator("#name").fill("지민jiminjimin");
    await fits("login");
    await picture(page, `${name}-login`);
    await logIn(page, "지민jiminjimin");
    await page.getByText("Welcome!").waitFor();
    await fits("rooms");
    await picture(page, `${name}-rooms`);
    await enter(page, 3);
    await talk(page, server, 3);
    await fits("room");
    await picture(page, `${name}-room`);
    await page.locator("#message").fill("가".repeat(80));
    server.isAccepting = false;
    server.dropAll();
    await page.locator("#trouble").waitFor();
    await page.locator("#message").press("Enter");
    await until(page, () => document.getElementById("composer-error").textContent !== "");
    await fits("reconnecting");
    await until(page, () => { // still at the end, though the log has become lower
      const log = document.getElementById("log");
      return log.scrollHeight - log.scrollTop - log.clientHeight < 2;
    });
    await picture(page, `${name}-reconnecting`);
    if (browserOptions.isMobile) {
      const sizes = await page.locator("input, textarea").evaluateAll((inputs) =>
        inputs.map((input) => parseFloat(getComputedStyle(input).fontSize)));
      assert.ok(sizes.every((size) => size >= 16), `a smaller field makes phones zoom in: ${sizes}`);
    }
  });
}

test("a visit by keyboard alone", options, async (t) => {
  const { server, page } = await open(t);
  const focus = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
  const outlined = () => page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== "none");
  await focused(page, "name");
  await page.keyboard.press("Enter");
  await shows(page, "#login-error", "Please enter a name.");
  assert.equal(await focus(), "name");
  await page.keyboard.type("bob");
  await shows(page, "#login-error", "");
  await page.keyboard.press("Enter");
  await focused(page, "rooms-title");
  await page.keyboard.press("Tab");
  assert.equal(await focus(), "Room 1");
  assert.ok(await outlined());
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await focused(page, "message");
  await page.keyboard.type("hello");
  await page.keyboard.press("Enter");
  await page.locator(".own .words").waitFor();
  assert.equal(await page.locator("#message").inputValue(), "");
  await page.keyboard.press("Shift+Tab");
  assert.equal(await focus(), "log");
  assert.ok(await outlined());
  await page.keyboard.press("Shift+Tab");
  assert.equal(await focus(), "leave");
  assert.ok(await outlined());
  await page.keyboard.press("Enter");
  await focused(page, "rooms-title");
  await page.keyboard.press("Shift+Tab");
  assert.equal(await focus(), "log-out");
  await page.keyboard.press("Space");
  await focused(page, "name");
  await shows(page, "#state-text", "Not connected");
  await shows(page, "#login-error", "");
  assert.deepEqual(server.said, ["hello"]);
});

test("everything that can be used has a name", options, async (t) => {
  const { page } = await open(t, { server: { messageOfTheDay: "hi" } });
  const nameless = () => page.evaluate(() => [...document.querySelectorAll("button, input, textarea, [role=log]")]
    .filter((element) => element.checkVisibility())
    .filter((element) => ![element.textContent, element.ariaLabel, element.labels?.[0]?.textContent].some((name) => name?.trim()))
    .map((element) => element.outerHTML));
  assert.deepEqual(await nameless(), []);
  await logIn(page, "bob");
  assert.deepEqual(await nameless(), []);
  await enter(page, 1);
  assert.deepEqual(await nameless(), []);
  const log = page.getByRole("log", { name: "Messages" });
  assert.equal(await log.count(), 1);
  assert.equal(await page.getByRole("textbox", { name: "Message" }).count(), 1);
  assert.equal(await page.getByRole("status").textContent(), "Connected");
});

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
  await shows(page, "#state-text", "Not connected");
});

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
  assert.deepEqual(lines, [["own", "You", "mine"], ["other", "bob ", "not mine"], ["other", "SERVER ", "no announcement"],
    ["announcement", "Announcement SERVER", "Restart"]]);
  for (const time of await page.locator("#log time").all()) assert.match(await time.getAttribute("datetime"), /^\d{4}-\d\d-\d\dT/);
});

test("rooms are chosen by number if there are many", options, async (t) => {
  const { server, page } = await open(t, { server: { config: { firstRoom: 100, rooms: 500, announcer: "SERVER" } } });
  await logIn(page, "bob");
  await shows(page, "#room-label", "Room number, 100 to 599");
  assert.equal(await page.locator("#room-list button").count(), 0);
  const field = page.locator("#room-number");
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

/** Breaks a user's connection, and lets the time of the page stand still before the next try. */
async function breakOff(server, page) {
  server.isAccepting = false;
  await page.clock.pauseAt(Date.now() + 60_000);
  server.dropAll();
  await shows(page, "#state-text", "Reconnecting");
  await shows(page, "#countdown", "Next try in 1 s");
}

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
  await page.locator("#leave").click(); // cannot be done now
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
  assert.equal(await page.locator("#log .line").count(), 1000);
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

test("less motion if that is wished for", options, async (t) => {
  const { server, page } = await open(t, { reducedMotion: "reduce" });
  await logIn(page, "bob");
  server.isAccepting = false;
  server.dropAll();
  await page.locator("#trouble").waitFor();
  assert.equal(await page.evaluate(() => getComputedStyle(document.getElementById("state"), "::before").animationName), "none");
});

test("a server without its configuration", options, async (t) => {
  const { page } = await open(t);
  await page.route("**/config.json", (route) => route.fulfill({ status: 200, body: "no JSON" }));
  await page.locator("#name").fill("bob");
  await page.locator("#log-in").click();
  await shows(page, "#login-error", languages.en.closed_unreachable);
});
