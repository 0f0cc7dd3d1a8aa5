import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket } from "ws";

import {
  BusyError, ChatClient, ConnectionError, ProtocolError, ResultError, StateError, TextError,
} from "../client.js";
import {
  encodeLoginRequest, encodeLoginResponse, encodeRoomChatNotify, encodeRoomChatRequest, encodeRoomChatResponse,
  encodeRoomEnterRequest, encodeRoomEnterResponse, encodeRoomLeaveRequest, encodeRoomLeaveResponse,
} from "../protocol.js";
import { startClient } from "./support/chatclient.js";
import { Clock } from "./support/clock.js";
import { within } from "./support/wait.js";

const refusedWith = (code, name) => (error) => {
  assert.ok(error instanceof ResultError, String(error));
  assert.equal(error.code, code);
  assert.equal(error.resultName, name);
  return true;
};

test("a whole visit", async (t) => {
  const { script, client, events } = await startClient(t);
  assert.deepEqual(client.status, { state: "closed", restoring: false, user: null, room: null, rival: null, tries: 0, nextTry: null, reason: null });
  const loggedIn = client.login("ann", "secret");
  const peer = await script.accept();
  assert.deepEqual(await peer.receive(), encodeLoginRequest("ann", "secret"));
  peer.send(encodeLoginResponse(0), encodeRoomChatNotify("SERVER", "welcome"));
  assert.equal(await loggedIn, undefined);
  assert.equal(client.status.user, "ann");

  const entered = client.enterRoom(7);
  assert.deepEqual(await peer.receive(), encodeRoomEnterRequest(7));
  peer.send(encodeRoomEnterResponse(0, "bob"), encodeRoomChatNotify("bob", "hello"));
  assert.deepEqual(await entered, { room: 7, rival: "bob" });
  assert.equal(client.status.room, 7);
  assert.equal(client.status.rival, "bob");

  const said = client.chat("hi");
  assert.deepEqual(await peer.receive(), encodeRoomChatRequest("hi"));
  peer.send(encodeRoomChatResponse(0), encodeRoomChatNotify("ann", "hi"));
  await said;

  const left = client.leaveRoom();
  assert.deepEqual(await peer.receive(), encodeRoomLeaveRequest());
  peer.send(encodeRoomLeaveResponse(0));
  await left;
  assert.equal(client.status.rival, null);
  client.close();
  assert.equal(await peer.closed(), 1000);
  assert.deepEqual(client.status.reason, { kind: "here", code: null, error: null });
  assert.deepEqual(events, ["connecting", "connected", "logged-in", "SERVER: welcome", "in-room", "bob is in 7", "bob: hello",
    "ann: hi", "logged-in", "closed"]);
});

test("answers belong to requests in their order, with notifies between", async (t) => {
  const { client, events, join } = await startClient(t);
  const peer = await join(1);
  const requests = [client.chat("1"), client.chat("2"), client.leaveRoom(), client.chat("3"), client.enterRoom(2)];
  const outcomes = Promise.allSettled(requests);
  for (let i = 0; i < requests.length; i++) await peer.receive();
  events.length = 0;
  peer.send(encodeRoomChatResponse(0), encodeRoomChatNotify("ann", "1"), encodeRoomChatResponse(63));
  peer.send(encodeRoomLeaveResponse(0), encodeRoomChatNotify("SERVER", "soon"), encodeRoomChatResponse(81), encodeRoomEnterResponse(0));
  const results = (await within(outcomes, "the answers")).map(({ status, reason }) => reason?.code ?? status);
  assert.deepEqual(results, ["fulfilled", 63, "fulfilled", 81, "fulfilled"]);
  assert.deepEqual(events, ["ann: 1", "logged-in", "SERVER: soon", "in-room"]);
});

test("results other than success", async (t) => {
  const { script, client, until } = await startClient(t);
  const first = client.login("ann");
  const peer = await script.accept();
  await peer.receive();
  peer.send(encodeLoginResponse(32));
  await assert.rejects(first, refusedWith(32, "LOGIN_USER_USED_ALL_OBJ"));
  assert.equal(client.status.state, "connected", "another login may be tried");
  assert.equal(client.status.user, null);
  const cases = [
    [() => client.login("bob"), encodeLoginResponse(12), 12, "USER_MGR_INVALID_USER_UNIQUEID"],
    [() => client.enterRoom(1), encodeRoomEnterResponse(51), 51, "ENTER_ROOM_NOT_FINDE_USER"],
    [() => client.leaveRoom(), encodeRoomLeaveResponse(71), 71, "LEAVE_ROOM_INVALID_ROOM_INDEX"],
    [() => client.chat("x"), encodeRoomChatResponse(81), 81, "CHAT_ROOM_INVALID_ROOM_NUMBER"],
    [() => client.chat("x"), encodeRoomChatResponse(99), 99, "ERROR_99"],
  ];
  for (const [ask, answer, code, name] of cases) {
    const asked = ask();
    await peer.receive();
    peer.send(answer);
    await assert.rejects(asked, refusedWith(code, name));
  }
  assert.equal(client.status.state, "connected");
  peer.socket.terminate(); // without a login there is nothing to restore
  const { reason } = await until("closed");
  assert.equal(reason.kind, "unreachable");
  assert.equal(reason.code, 1006);
});

test("who leaves a room that the server has them not in is in none", async (t) => {
  const { client, join } = await startClient(t);
  const peer = await join(3);
  const left = client.leaveRoom();
  await peer.receive();
  peer.send(encodeRoomLeaveResponse(71));
  await assert.rejects(left, refusedWith(71, "LEAVE_ROOM_INVALID_ROOM_INDEX"));
  assert.deepEqual([client.status.state, client.status.user, client.status.room], ["logged-in", "ann", null]);
});

test("what no packet can carry is not sent", async (t) => {
  const { client, join } = await startClient(t);
  await assert.rejects(client.login("x".repeat(21)), TextError);
  for (const nobody of [undefined, null, 5]) {
    await assert.rejects(client.login(nobody), {
      name: "TypeError", message: `LOGIN_REQUEST.user is ${nobody}, allowed is a text`,
    });
  }
  assert.equal(client.status.state, "closed");
  const peer = await join(1);
  await assert.rejects(client.chat("x".repeat(257)), TextError);
  await assert.rejects(client.chat(5), { name: "TypeError", message: "ROOM_CHAT_REQUEST.message is 5, allowed is a text" });
  await assert.rejects(client.enterRoom(1.5), RangeError);
  await assert.rejects(client.enterRoom("3"), /room is "3", allowed is an integer of /);
  const said = client.chat("ok");
  assert.deepEqual(await peer.receive(), encodeRoomChatRequest("ok"));
  peer.send(encodeRoomChatResponse(0));
  await said;
});

test("without a connection", async (t) => {
  const { client } = await startClient(t);
  for (const ask of [() => client.chat("x"), () => client.enterRoom(1), () => client.leaveRoom()]) {
    await assert.rejects(ask(), StateError);
  }
  const nobody = new ChatClient("ws://127.0.0.1:1/ws", { WebSocket });
  await assert.rejects(nobody.login("ann"), {
    name: "ConnectionError", message: "there is no connection: the connection ended with code 1006",
  });
  assert.equal(nobody.status.state, "closed");
  assert.equal(nobody.status.reason.kind, "unreachable");
  await assert.rejects(new ChatClient("no address", { WebSocket }).login("ann"), ConnectionError);
});

test("a second login while the first connects", async (t) => {
  const { script, client, admit } = await startClient(t);
  const first = client.login("ann");
  await assert.rejects(client.login("bob"), StateError);
  await admit(await script.accept());
  await first;
});

test("close while connecting, and a login after it", async (t) => {
  const { client, events, join } = await startClient(t);
  const loggedIn = client.login("ann");
  client.close();
  await assert.rejects(loggedIn, ConnectionError);
  client.close();
  assert.deepEqual(events, ["connecting", "closed"]);
  await join(1);
  assert.equal(client.status.state, "in-room");
});

test("pending requests are bounded, and rejected when the connection is closed", async (t) => {
  const { client, join } = await startClient(t, { limits: { maxPending: 3 } });
  await join(1);
  const waiting = Promise.allSettled([client.chat("1"), client.chat("2"), client.chat("3")]);
  await assert.rejects(client.chat("4"), BusyError);
  client.close();
  for (const { reason } of await within(waiting, "the rejections")) assert.ok(reason instanceof ConnectionError);
});

const lies = {
  "an answer that nobody asked for": [(peer) => peer.send(encodeLoginResponse(0)), /LOGIN_RESPONSE and nothing was asked/],
  "a text message": [(peer) => peer.socket.send("hello"), /text message/],
  "an empty message": [(peer) => peer.send(), /empty/],
  "half a packet": [(peer) => peer.send(Buffer.from([7, 0, 202, 0])), /ends after 4 bytes of a packet of 7/],
  "an unknown id": [(peer) => peer.send(Buffer.from([5, 0, 0x2c, 1, 0])), /id 300/],
  "a request": [(peer) => peer.send(encodeRoomLeaveRequest()), /ROOM_LEAVE_REQUEST and nothing was asked/],
};

for (const [what, [lie, complaint]] of Object.entries(lies)) {
  test(`the server sends ${what}`, async (t) => {
    const { client, events, until, join } = await startClient(t);
    const peer = await join(1);
    peer.send(encodeRoomChatNotify("bob", "before"));
    lie(peer);
    const { reason } = await until("closed");
    assert.equal(reason.kind, "protocol");
    assert.ok(reason.error instanceof ProtocolError);
    assert.match(reason.error.message, complaint);
    assert.equal(await peer.closed(), 4002);
    assert.equal(events.at(-2), "bob: before");
    assert.equal(client.status.state, "closed", "and there is no other try");
  });
}

test("the server answers something else than what was asked", async (t) => {
  const { client, until, join } = await startClient(t);
  const peer = await join(1);
  const left = client.leaveRoom();
  await peer.receive();
  peer.send(encodeRoomChatResponse(0));
  await assert.rejects(left, ConnectionError);
  assert.match((await until("closed")).reason.error.message, /ROOM_CHAT_RESPONSE where 210 is due/);
});

for (const [code, kind] of [[1000, "server"], [1002, "rule"], [1003, "rule"], [1007, "rule"], [1008, "rule"], [1009, "rule"]]) {
  test(`the server closes with ${code}`, async (t) => {
    const { until, join } = await startClient(t);
    const peer = await join(1);
    peer.socket.close(code, "because");
    const { reason, user, room } = await until("closed");
    assert.equal(reason.kind, kind);
    assert.equal(reason.code, code);
    assert.match(reason.error.message, /because/);
    assert.deepEqual([user, room], [null, null]);
  });
}

test("no answer in time", async (t) => {
  const { client, clock, until, join } = await startClient(t);
  const peer = await join(1);
  const requests = Promise.allSettled([client.chat("1"), client.chat("2")]);
  await peer.receive();
  clock.pass(14_000);
  const seen = new Promise((resolve) => client.addEventListener("chat", resolve, { once: true }));
  peer.send(encodeRoomChatResponse(0), encodeRoomChatNotify("ann", "1"));
  await within(seen, "the first");
  clock.pass(14_999); // the second has waited long, but was the oldest only since then
  assert.equal(client.status.state, "in-room");
  clock.pass(1);
  const [first, second] = await within(requests, "the outcomes");
  assert.equal(first.status, "fulfilled");
  assert.match(second.reason.cause.message, /did not answer in time/);
  await until("reconnecting");
  assert.equal(await peer.closed(), 4000);
});

test("a connection that died without a word is found out when its user is back", async (t) => {
  const { client, clock, watchers, until, join } = await startClient(t);
  const peer = await join(1);
  assert.equal(watchers.size, 1);
  const wake = () => {
    for (const each of watchers) each();
  };
  // A server that is there answers 31, and nothing is different after it.
  wake();
  wake();
  assert.deepEqual(await peer.receive(), encodeLoginRequest("ann"));
  assert.deepEqual(clock.due, [5_000, 15_000]);
  peer.send(encodeLoginResponse(31));
  const said = client.chat("hi");
  await peer.receive();
  assert.equal(peer.waiting, 0, "it asks once");
  peer.send(encodeRoomChatResponse(0));
  await said;
  assert.deepEqual(clock.due, []);
  assert.equal(client.status.state, "in-room");

  // Whatever comes says that it is there, before the answer does.
  wake();
  await peer.receive();
  const seen = new Promise((resolve) => client.addEventListener("chat", resolve, { once: true }));
  peer.send(encodeRoomChatNotify("bob", "here"));
  await within(seen, "what bob says");
  assert.deepEqual(clock.due, [15_000]);
  peer.send(encodeLoginResponse(31), encodeRoomChatNotify("bob", "still"));
  await within(new Promise((resolve) => client.addEventListener("chat", resolve, { once: true })), "what bob says");

  wake();
  clock.pass(4_999);
  assert.equal(client.status.state, "in-room");
  clock.pass(1);
  const { room } = await until("reconnecting");
  assert.equal(room, 1);
  assert.equal(await peer.closed(), 4000);
});

test("a probe behind as many requests as may wait", async (t) => {
  const { client, clock, watchers, until, join } = await startClient(t, { limits: { maxPending: 1 } });
  const peer = await join(1);
  const lost = assert.rejects(client.chat("lost?"), ConnectionError);
  await peer.receive();
  for (const wake of watchers) wake();
  clock.pass(5_000);
  await until("reconnecting");
  await lost;
});

test("a connection that does not come about in time", async () => {
  const clock = new Clock();
  class Never extends EventTarget {
    close(code) {
      this.code = code;
    }
  }
  const client = new ChatClient("ws://nowhere/", { WebSocket: Never, clock });
  const loggedIn = client.login("ann");
  assert.deepEqual(clock.due, [10_000]);
  clock.pass(10_000);
  await assert.rejects(loggedIn, (error) => /: the server did not take the connection in time/.test(error.message));
  assert.deepEqual(clock.due, []);
});

test("an event's listener may close the client", async (t) => {
  const { client, events, join } = await startClient(t);
  const peer = await join(1);
  client.addEventListener("chat", () => client.close());
  peer.send(encodeRoomChatNotify("bob", "1"), encodeRoomChatNotify("bob", "2"));
  await peer.closed();
  assert.deepEqual(events.slice(-2), ["bob: 1", "closed"]);
});
