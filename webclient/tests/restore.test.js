// A session that comes back after its connection broke.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ConnectionError, StateError } from "../client.js";
import {
  encodeLoginRequest, encodeLoginResponse, encodeRoomChatNotify, encodeRoomChatRequest, encodeRoomChatResponse,
  encodeRoomEnterRequest, encodeRoomEnterResponse,
} from "../protocol.js";
import { startClient } from "./support/chatclient.js";

for (const [what, end] of [["stops", (peer) => peer.socket.close(1001)], ["is gone", (peer) => peer.socket.terminate()],
  ["has trouble", (peer) => peer.socket.close(1011)]]) {
  test(`the server ${what}, and the session comes back`, async (t) => {
    const { script, client, clock, watchers, events, until, admit, join } = await startClient(t);
    const peer = await join(5);
    clock.pass(60_000);
    const lost = client.chat("lost?");
    await peer.receive();
    events.length = 0;
    end(peer);
    await assert.rejects(lost, ConnectionError);
    const waiting = await until("reconnecting");
    assert.deepEqual({ ...waiting, nextTry: waiting.nextTry - clock.now() },
      { state: "reconnecting", restoring: true, user: "ann", room: 5, rival: "", tries: 1, nextTry: 500, reason: null });
    assert.equal(watchers.size, 1);
    await assert.rejects(client.chat("not now"), StateError);
    clock.pass(499);
    assert.equal(client.status.state, "reconnecting");
    clock.pass(1);
    assert.equal(client.status.state, "connecting");
    assert.equal(watchers.size, 1);
    const next = await script.accept();
    await admit(next);
    assert.deepEqual(await next.receive(), encodeRoomEnterRequest(5));
    await assert.rejects(client.chat("still not"), StateError);
    next.send(encodeRoomEnterResponse(0, "bob"), encodeRoomChatNotify("bob", "you again"));
    const back = await until("in-room");
    assert.deepEqual([back.restoring, back.rival], [false, "bob"]);
    assert.deepEqual(events, ["reconnecting", "connecting", "connected", "logged-in", "in-room", "bob is in 5", "bob: you again"]);
    const said = client.chat("yes");
    assert.deepEqual(await next.receive(), encodeRoomChatRequest("yes"));
    next.send(encodeRoomChatResponse(0));
    await said;
  });
}

test("without a room only the login comes back", async (t) => {
  const { script, client, clock, until, admit, join } = await startClient(t);
  (await join()).socket.terminate();
  await until("reconnecting");
  clock.pass(500);
  const next = await script.accept();
  await admit(next);
  const { restoring, room } = await until("logged-in");
  assert.deepEqual([restoring, room], [false, null]);
  const entered = client.enterRoom(2);
  await next.receive();
  next.send(encodeRoomEnterResponse(0));
  await entered;
});

test("the waits grow up to a bound, and begin anew after a steady connection", async (t) => {
  const { script, client, clock, until, admit, join } = await startClient(t, { backoff: { first: 100, most: 1000 } });
  clock.pass(1);
  (await join(1)).socket.terminate();
  const waits = [];
  const fail = async () => {
    const { nextTry } = await until("reconnecting");
    waits.push(nextTry - clock.now());
    client.tryNow();
    return script.accept();
  };
  for (let i = 0; i < 5; i++) (await fail()).socket.terminate();
  let peer = await fail();
  const restore = async () => {
    await admit(peer);
    await peer.receive();
    peer.send(encodeRoomEnterResponse(0));
    await until("in-room");
  };
  await restore();
  peer.socket.terminate(); // at once: not steady
  peer = await fail();
  await restore();
  clock.pass(10_000);
  peer.socket.terminate();
  (await fail()).socket.terminate();
  assert.deepEqual(waits, [100, 200, 400, 800, 1000, 1000, 1000, 100]);
});

test("half of a wait is left to chance", async (t) => {
  const { clock, until, join } = await startClient(t, { random: () => 0 });
  (await join(1)).socket.terminate();
  assert.equal((await until("reconnecting")).nextTry - clock.now(), 250);
});

test("tries have an end if one is wanted", async (t) => {
  const { script, client, until, join } = await startClient(t, { backoff: { maxTries: 2 } });
  (await join(1)).socket.terminate();
  for (let i = 0; i < 2; i++) {
    await until("reconnecting");
    client.tryNow();
    (await script.accept()).socket.terminate();
  }
  const { reason } = await until("closed");
  assert.equal(reason.kind, "unreachable");
});

test("what watches the browser shortens the wait", async (t) => {
  const { script, client, watchers, until, join } = await startClient(t);
  (await join(1)).socket.terminate();
  await until("reconnecting");
  for (const wake of watchers) wake();
  assert.equal(client.status.state, "connecting");
  for (const wake of watchers) wake(); // nothing to shorten
  client.tryNow();
  await script.accept();
});

test("close ends the tries", async (t) => {
  const { client, clock, watchers, until, join } = await startClient(t);
  (await join(1)).socket.terminate();
  await until("reconnecting");
  client.close();
  assert.deepEqual([client.status.state, client.status.reason.kind, client.status.user], ["closed", "here", null]);
  assert.deepEqual([clock.due, watchers.size], [[], 0]);
});

test("the old login is still held for a while", async (t) => {
  const { script, client, clock, until, admit, join } = await startClient(t);
  (await join(5)).socket.terminate();
  await until("reconnecting");
  clock.pass(500);
  const peer = await script.accept();
  for (const wait of [500, 1000, 2000, 4000, 5000, ...Array(21).fill(5000)]) { // to 117.5 s
    await peer.receive();
    peer.send(encodeLoginResponse(31));
    const { nextTry, restoring } = await until("reconnecting");
    assert.deepEqual([nextTry - clock.now(), restoring], [wait, true]);
    clock.pass(wait);
  }
  await admit(peer);
  assert.deepEqual(await peer.receive(), encodeRoomEnterRequest(5));
  peer.send(encodeRoomEnterResponse(0));
  await until("in-room");
  assert.equal(client.status.user, "ann");
});

test("the connection breaks while the old login is waited for", async (t) => {
  const { script, clock, until, admit, join } = await startClient(t);
  (await join()).socket.terminate();
  await until("reconnecting");
  clock.pass(500);
  const peer = await script.accept();
  await peer.receive();
  peer.send(encodeLoginResponse(31));
  await until("reconnecting");
  peer.socket.terminate();
  const { nextTry, tries } = await until("reconnecting");
  assert.deepEqual([nextTry - clock.now(), tries], [1000, 2]);
  clock.pass(1000);
  await admit(await script.accept());
  await until("logged-in");
});

test("the old login is held for good", async (t) => {
  const { script, client, clock, until, join } = await startClient(t, { backoff: { heldFor: 6_000, heldMost: 2_000 } });
  (await join(5)).socket.terminate();
  await until("reconnecting");
  client.tryNow();
  const peer = await script.accept();
  for (const wait of [500, 1000, 2000, 2000, 2000]) {
    await peer.receive();
    peer.send(encodeLoginResponse(31));
    assert.equal((await until("reconnecting")).nextTry - clock.now(), wait);
    clock.pass(wait);
  }
  await peer.receive();
  peer.send(encodeLoginResponse(31));
  const { reason, user } = await until("closed");
  assert.equal(reason.kind, "refused");
  assert.equal(reason.error.code, 31);
  assert.equal(user, null);
  assert.equal(await peer.closed(), 1000);
  assert.equal(client.status.reason.kind, "refused");
});

test("the server is full when the session should come back", async (t) => {
  const { script, client, until, join } = await startClient(t);
  (await join(5)).socket.terminate();
  await until("reconnecting");
  client.tryNow();
  const peer = await script.accept();
  await peer.receive();
  peer.send(encodeLoginResponse(32));
  assert.equal((await until("closed")).reason.error.code, 32);
});

test("the room is full when the session should come back", async (t) => {
  const { script, client, events, until, admit, join } = await startClient(t);
  (await join(5)).socket.terminate();
  await until("reconnecting");
  client.tryNow();
  const peer = await script.accept();
  await admit(peer);
  await peer.receive();
  events.length = 0;
  peer.send(encodeRoomEnterResponse(54));
  assert.equal((await until("logged-in")).restoring, true);
  const { room, restoring, user } = await until("logged-in");
  assert.deepEqual([room, restoring, user], [null, false, "ann"]);
  assert.equal(events.at(-1), "5 is lost: 54");
});

test("the server kicks the user while the session comes back", async (t) => {
  const { script, client, until, join } = await startClient(t);
  (await join(5)).socket.terminate();
  await until("reconnecting");
  client.tryNow();
  (await script.accept()).socket.close(1000);
  assert.equal((await until("closed")).reason.kind, "server");
});
