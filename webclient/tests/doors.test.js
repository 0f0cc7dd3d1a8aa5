// Three people behind three doors of the real server: Alice in Chromium over wss, Bob over plain TCP, Carol over TLS.

import assert from "node:assert/strict";
import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { connect as connectTCP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { connect as connectTLS } from "node:tls";

import {
  decodePacket, encodeLoginRequest, encodeRoomChatRequest, encodeRoomEnterRequest, PacketId, PacketSplitter, Result,
} from "../protocol.js";
import { inChromium, launchChromium } from "./support/browser.js";
import { patience, Queue, within } from "./support/wait.js";

// Built by scripts/build.sh build.
const program = process.env.CHATSERVER ?? new URL("../../build/bin/chatserver", import.meta.url).pathname;
const screenshots = process.env.SCREENSHOTS;
const room = 7;

/** The server's process, with every door open. */
class Server {
  static async start(folder) {
    const certificate = join(folder, "cert.pem");
    execFileSync(program, ["certificate", "--folder", folder], { timeout: patience });
    const server = new Server();
    server.certificate = readFileSync(certificate);
    server.process = spawn(program, [
      "--port", "0", "--tls-port", "0", "--ws-port", "0", "--wss-port", "0", "--admin", "", "--bind", "127.0.0.1",
      "--tls-cert", certificate, "--tls-key", join(folder, "key.pem"), "--log-format", "json", "--crash-dir", "",
    ], { stdio: ["ignore", "ignore", "pipe"] });
    server.log = [];
    server.waits = [];
    createInterface({ input: server.process.stderr }).on("line", (line) => {
      server.log.push(JSON.parse(line));
      server.waits.forEach((look) => look());
    });
    server.ended = new Promise((resolve) => server.process.on("exit", resolve));
    server.ports = (await server.line((line) => line.msg === "ready")).ports;
    return server;
  }

  /** Waits for a line of the log. */
  line(is) {
    return within(new Promise((resolve) => {
      const look = () => {
        const found = this.log.find(is);
        if (found) resolve(found);
      };
      this.waits.push(look);
      look();
    }), "a line of the log");
  }

  async stop() {
    this.process.kill("SIGTERM");
    assert.equal(await within(this.ended, "the server's end"), 0);
    return this.log.findLast((line) => line.msg === "totals");
  }
}

/** Somebody whose client is a socket. */
class Person {
  constructor(socket) {
    this.socket = socket;
    this.answers = new Queue();
    this.notifies = new Queue();
    const splitter = new PacketSplitter();
    socket.on("data", (chunk) => {
      for (const bytes of splitter.feed(chunk)) {
        const packet = decodePacket(bytes);
        (packet.id === PacketId.ROOM_CHAT_NOTIFY ? this.notifies : this.answers).put(packet);
      }
    });
  }

  async ask(request, answer) {
    this.socket.write(request);
    const packet = await this.answers.take(`packet ${answer}`);
    assert.deepEqual([packet.id, packet.result], [answer, Result.NONE]);
  }

  async comeIn(name) {
    await this.ask(encodeLoginRequest(name), PacketId.LOGIN_RESPONSE);
    await this.ask(encodeRoomEnterRequest(room), PacketId.ROOM_ENTER_RESPONSE);
  }

  say(text) {
    return this.ask(encodeRoomChatRequest(text), PacketId.ROOM_CHAT_RESPONSE);
  }

  /** What is said next, by whomever. */
  async hear(count) {
    const heard = [];
    while (heard.length < count) {
      const { user, message } = await this.notifies.take("what is said");
      heard.push(`${user}: ${message}`);
    }
    return heard;
  }
}

let browser, folder, server;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "doors-"));
  browser = await launchChromium();
  if (browser) server = await Server.start(folder);
});
after(async () => {
  await browser?.close();
  if (server?.process.exitCode === null) server.process.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

/** What the page shows, in its order. */
const shown = (page) => page.locator("#log .line:has(.words)").evaluateAll((lines) => lines.map((line) =>
  `${line.querySelector(".author bdi")?.textContent ?? "Alice"}: ${line.querySelector(".words").textContent}`));

test("Alice over wss, Bob over TCP and Carol over TLS see the same in the same order", inChromium, async () => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1000, height: 720 }, locale: "en-US" });
  context.setDefaultTimeout(patience);
  const alice = await context.newPage();
  const complaints = [];
  alice.on("console", (line) => ["error", "warning"].includes(line.type()) && complaints.push(line.text()));
  alice.on("pageerror", (error) => complaints.push(String(error)));
  const sockets = [];
  alice.on("websocket", (socket) => sockets.push(socket.url()));
  await alice.goto(`https://localhost:${server.ports.wss}/`);
  await alice.locator("#name").fill("Alice");
  await alice.locator("#log-in").click();
  await alice.locator("#room-number").fill(String(room));
  await alice.locator("#room-number").press("Enter");
  await alice.locator("#message").waitFor();
  assert.deepEqual(sockets, [`wss://localhost:${server.ports.wss}/ws`]);

  const bob = new Person(connectTCP(server.ports.tcp, "127.0.0.1"));
  const carol = new Person(connectTLS({ port: server.ports.tls, host: "localhost", ca: server.certificate, servername: "localhost" }));
  await bob.comeIn("Bob");
  await carol.comeIn("Carol");

  const sayAsAlice = async (text) => {
    await alice.locator("#message").fill(text);
    await alice.locator("#message").press("Enter");
  };
  const said = (count) => alice.waitForFunction((expected) =>
    document.querySelectorAll("#log .words").length === expected, count, { timeout: patience });

  // One after the other.
  const conversation = [
    ["Bob", "Hi from plain TCP"], ["Alice", "Hey, I am in a browser 😀"], ["Carol", "Hello through TLS"],
    ["Carol", "안녕하세요! 다들 잘 들리나요?"], ["Alice", "네, 잘 들려요!"], ["Bob", "Three ports, one room"],
  ];
  const say = { Alice: sayAsAlice, Bob: (text) => bob.say(text), Carol: (text) => carol.say(text) };
  for (const [i, [name, text]] of conversation.entries()) {
    await say[name](text);
    await said(i + 1);
  }
  if (screenshots) {
    mkdirSync(screenshots, { recursive: true });
    await alice.screenshot({ path: join(screenshots, "browser-client.png"), animations: "disabled" });
  }

  // All three at the same time.
  const chats = 15;
  await Promise.all(Object.entries(say).map(async ([name, sayAs]) => {
    for (let i = 0; i < chats; i++) await sayAs(`${name} ${i}`);
  }));
  const all = conversation.length + 3 * chats;
  await said(all);
  const seen = await shown(alice);
  assert.deepEqual(seen.slice(0, conversation.length), conversation.map(([name, text]) => `${name}: ${text}`));
  for (const person of [bob, carol]) assert.deepEqual(await person.hear(all), seen);
  for (const name of Object.keys(say)) {
    assert.deepEqual(seen.slice(conversation.length).filter((line) => line.startsWith(name)),
      Array.from({ length: chats }, (_, i) => `${name}: ${name} ${i}`));
  }
  assert.deepEqual(complaints, []);
  bob.socket.destroy();
  carol.socket.destroy();
  await context.close();
});

test("over plain HTTP the page says nothing in the console either", inChromium, async () => {
  // A name that a browser trusts no more than an address in a network.
  const other = await launchChromium({ args: ["--no-sandbox", "--host-resolver-rules=MAP plain.example 127.0.0.1"] });
  try {
    const page = await other.newPage({ locale: "en-US" });
    const complaints = [];
    page.on("console", (line) => complaints.push(line.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(`http://plain.example:${server.ports.ws}/`);
    assert.equal(await page.evaluate(() => isSecureContext), false);
    await page.locator("#name").fill("Dave");
    await page.locator("#log-in").click();
    await page.locator("#room-number").waitFor();
    assert.deepEqual(complaints, []);
  } finally {
    await other.close();
  }
});

test("a page of another server is refused, with a reason", inChromium, async () => {
  const elsewhere = createServer((_, response) => response.end("<!doctype html><title>elsewhere</title>"));
  await new Promise((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${elsewhere.address().port}/`);
  const code = await page.evaluate((url) => new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.onopen = () => resolve("open");
    socket.onclose = ({ code }) => resolve(code);
  }), `ws://127.0.0.1:${server.ports.ws}/ws`);
  assert.equal(code, 1006);
  const line = await server.line((one) => one.reason === "other_origin");
  assert.match(line.error, new RegExp(`http://127.0.0.1:${elsewhere.address().port}`));
  await context.close();
  await new Promise((resolve) => elsewhere.close(resolve));
});

test("the server stops, and has counted what it refused", inChromium, async () => {
  const totals = await server.stop();
  assert.equal(totals.closed.other_origin, 1);
  assert.equal(totals.chats, 51);
});
