// A whole visit: how it looks, by keyboard alone, and to those who hear it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { enter, focused, inChromium, logIn, pages, picture, say, shows, until } from "./support/page.js";

const options = inChromium;
const open = pages();

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

test("less motion if that is wished for", options, async (t) => {
  const { server, page } = await open(t, { reducedMotion: "reduce" });
  await logIn(page, "bob");
  server.isAccepting = false;
  server.dropAll();
  await page.locator("#trouble").waitFor();
  assert.equal(await page.evaluate(() => getComputedStyle(document.getElementById("state"), "::before").animationName), "none");
});

/** The contrast of two colours by WCAG 2. */
function contrast(one, other) {
  const [light, dark] = [one, other].map((colour) => {
    const [red, green, blue] = colour.match(/[\d.]+/g).slice(0, 3).map(Number).map((level) => level / 255)
      .map((level) => (level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }).sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

for (const colorScheme of ["light", "dark"]) {
  test(`where one can write can be seen: ${colorScheme}`, options, async (t) => {
    const { page } = await open(t, { colorScheme, server: { config: { firstRoom: 1, rooms: 100, announcer: "SERVER" } } });
    const check = async (id) => {
      const [edge, ...beside] = await page.locator(id).evaluate((field) => {
        field.blur();
        const around = field.closest(".card") ?? document.body;
        const { borderTopColor, backgroundColor } = getComputedStyle(field);
        return [borderTopColor, backgroundColor, getComputedStyle(around).backgroundColor];
      });
      for (const colour of beside) {
        assert.ok(contrast(edge, colour) >= 3, `${id}: ${edge} beside ${colour}: ${contrast(edge, colour)}`);
      }
    };
    await check("#name");
    await logIn(page, "bob");
    await check("#room-number");
    await page.locator("#room-number").fill("1");
    await page.locator("#room-number").press("Enter");
    await page.locator("#message").waitFor();
    await check("#message");
  });
}

test("a phone with its keyboard shows where one writes, and what is wrong with it", options, async (t) => {
  const { page } = await open(t, { viewport: { width: 360, height: 280 }, isMobile: true, hasTouch: true });
  await logIn(page, "bob");
  await enter(page, 1);
  await say(page, "가".repeat(100));
  for (const id of ["#composer-error", "#message-count", "#message", "#composer button"]) {
    const { x, y, width, height } = await page.locator(id).boundingBox();
    assert.ok(x >= 0 && y >= 0 && x + width <= 360 && y + height <= 280, `${id} is at ${x}, ${y}: ${width} x ${height}`);
  }
  await picture(page, "phone-keyboard");
});

test("a dot that is filled looks so in forced colours", options, async (t) => {
  const { page } = await open(t, { forcedColors: "active" });
  await logIn(page, "bob");
  const dot = () => page.locator("#state").evaluate((state) =>
    [getComputedStyle(state, "::before").backgroundColor, getComputedStyle(state).color]);
  const [full, text] = await dot();
  assert.equal(full, text);
  await page.locator("#log-out").click();
  await shows(page, "#state-text", "Not connected");
  assert.notEqual((await dot())[0], text);
});
