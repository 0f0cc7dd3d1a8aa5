// The page before its script runs, and where it does not.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { inChromium, pages } from "./support/page.js";

const options = inChromium;
const open = pages();

test("without JavaScript the page says so, in both languages", options, async (t) => {
  const { page } = await open(t, { javaScriptEnabled: false, ready: "main .card >> nth=1" });
  const seen = await page.locator("main p").evaluateAll((all) =>
    all.filter((each) => each.checkVisibility()).map((each) => [each.lang, each.textContent]));
  assert.deepEqual(seen, [["", "This page needs JavaScript."], ["ko", "이 페이지에는 자바스크립트가 필요합니다."]]);
  assert.equal(await page.locator("#state").evaluate((state) => getComputedStyle(state).backgroundColor), "rgba(0, 0, 0, 0)");
});

test("while a file is missing the page is not blank", options, async (t) => {
  const { page, complaints } = await open(t, { server: { missing: ["rooms.js"] }, ready: "#loading" });
  assert.match(await page.locator("#loading").innerText(), /Loading…[^]*불러오는 중…/);
  await page.waitForFunction(() => getComputedStyle(document.getElementById("loading")).opacity === "1");
  await page.context().close();
  assert.ok(complaints.splice(0).every((complaint) => /404/.test(complaint)));
});

test("all modules are asked for at once", () => {
  const folder = new URL("../", import.meta.url);
  const page = readFileSync(new URL("index.html", folder), "utf8");
  const asked = [...page.matchAll(/<link rel="modulepreload" href="([^"]+)">|<script type="module" src="([^"]+)">/g)]
    .map(([, preloaded, script]) => preloaded ?? script);
  assert.deepEqual(asked.sort(), readdirSync(folder).filter((name) => name.endsWith(".js")).sort());
});
