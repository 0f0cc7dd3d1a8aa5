import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket } from "ws";

import { BusyError, ChatClient, ConnectionError, ProtocolError, ResultError, StateError, TextError } from "../client.js";
import {
  encodeLoginRequest, encodeLoginResponse, encodeRoomChatNotify, encodeRoomChatRequest, encodeRoomChatResponse,
  encodeRoomEnterRequest, encodeRoomEnterResponse, encodeRoomLeaveRequest, encodeRoomLeaveResponse,
} from "../protocol.js";
import { Clock } from "./support/clock.js";
import { Script } from "./support/script.js";
import { Queue, within } from "./support/wait.js";

/** A server, and a client whose events are written down in their order. */
async function start(t, options = {}) {
  const script = await Script.listen();
  const clock = new Clock();
  const watchers = new Set();
  const client = new ChatClient(script.url, {
    WebSocket, clock, random: () => 1,
    watch: (wake) => {
      watchers.add(wake);
      return () => watchers.delete(wake);
    },
    ...options,
  });
  const states = new Queue();
  const events = [];
  client.addEventListener("state", ({ status }) => {
    events.push(status.state);
    states.put(status);
  });
  client.addEventListener("chat", ({ user, text }) => events.push(`${user}: ${text}`));
  client.addEventListener("rival", ({ room, user }) => events.push(`${user} is in ${room}`));
  client.addEventListener("roomlost", ({ room, error }) => events.push(`${room} is lost: ${error.code}`));
  t.after(async () => {
    client.close();
    assert.deepEqual(clock.due, [], "no timer is left");
    assert.equal(watchers.size, 0, "nobody watches");
    await script.close();
  });

  const until = async (state) => {
    for (;;) {
      const status = await states.take(`the state ${state}`);
      if (status.state === state) return status;
    }
  };
  /** Answers the client's login. */
  const admit = async (peer, user = "ann") => {
    assert.deepEqual(await peer.receive(), encodeLoginRequest(user));
    peer.send(encodeLoginResponse(0));
  };
  /** Logs in, and enters the room if there is one. */
  const join = async (room) => {
    const loggedIn = client.login("ann");
    const peer = await script.accept();
    await admit(peer);
    await within(loggedIn, "the login");
    if (room !== undefined) {
      const entered = client.enterRoom(room);
      assert.deepEqual(await peer.receive(), encodeRoomEnterRequest(room));
      peer.send(encodeRoomEnterResponse(0));
      await within(entered, "the room");
    }
    return peer;
  };
  return { script, client, clock, watchers, events, until, admit, join };
}

const refusedWith = (code, name) => (error) => {
  assert.ok(error instanceof ResultError, String(error));
  assert.equal(error.code, code);
  assert.equal(error.resultName, name);
  return true;
};

test("a whole visit", async (t) => {
  const { script, client, events } = await start(t);
  assert.deepEqual(client.status, { state: "closed", restoring: false, user: null, room: null, tries: 0, nextTry: null, reason: null });
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

  const said = client.chat("hi");
  assert.deepEqual(await peer.receive(), encodeRoomChatRequest("hi"));
  peer.send(encodeRoomChatResponse(0), encodeRoomChatNotify("ann", "hi"));
  await said;

  const left = client.leaveRoom();
  assert.deepEqual(await peer.receive(), encodeRoomLeaveRequest());
  peer.send(encodeRoomLeaveResponse(0));
  await left;
  client.close();
  assert.equal(await peer.closed(), 1000);
  assert.deepEqual(client.status.reason, { kind: "here", code: null, error: null });
  assert.deepEqual(events, ["connecting", "connected", "logged-in", "SERVER: welcome", "in-room", "bob is in 7", "bob: hello",
    "ann: hi", "logged-in", "closed"]);
});

test("answers belong to requests in their order, with notifies between", async (t) => {
  const { client, events, join } = await start(t);
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
  const { script, client, until } = await start(t);
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

test("what no packet can carry is not sent", async (t) => {
  const { client, join } = await start(t);
  await assert.rejects(client.login("x".repeat(21)), TextError);
  assert.equal(client.status.state, "closed");
  const peer = await join(1);
  await assert.rejects(client.chat("x".repeat(257)), TextError);
  await assert.rejects(client.enterRoom(1.5), RangeError);
  const said = client.chat("ok");
  assert.deepEqual(await peer.receive(), encodeRoomChatRequest("ok"));
  peer.send(encodeRoomChatResponse(0));
  await said;
});

test("without a connection", async (t) => {
  const { client } = await start(t);
  for (const ask of [() => client.chat("x"), () => client.enterRoom(1), () => client.leaveRoom()]) {
    await assert.rejects(ask(), StateError);
  }
  const nobody = new ChatClient("ws://127.0.0.1:1/ws", { WebSocket });
  await assert.rejects(nobody.login("ann"), ConnectionError);
  assert.equal(nobody.status.state, "closed");
  assert.equal(nobody.status.reason.kind, "unreachable");
  await assert.rejects(new ChatClient("no address", { WebSocket }).login("ann"), ConnectionError);
});

test("a second login while the first connects", async (t) => {
  const { script, client, admit } = await start(t);
  const first = client.login("ann");
  await assert.rejects(client.login("bob"), StateError);
  await admit(await script.accept());
  await first;
});

test("close while connecting, and a login after it", async (t) => {
  const { client, events, join } = await start(t);
  const loggedIn = client.login("ann");
  client.close();
  await assert.rejects(loggedIn, ConnectionError);
  client.close();
  assert.deepEqual(events, ["connecting", "closed"]);
  await join(1);
  assert.equal(client.status.state, "in-room");
});

test("pending requests are bounded, and rejected when the connection is closed", async (t) => {
  const { client, join } = await start(t, { limits: { maxPending: 3 } });
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
    const { client, events, until, join } = await start(t);
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
  const { client, until, join } = await start(t);
  const peer = await join(1);
  const left = client.leaveRoom();
  await peer.receive();
  peer.send(encodeRoomChatResponse(0));
  await assert.rejects(left, ConnectionError);
  assert.match((await until("closed")).reason.error.message, /ROOM_CHAT_RESPONSE where 210 is due/);
});

for (const [code, kind] of [[1000, "server"], [1002, "rule"], [1003, "rule"], [1007, "rule"], [1008, "rule"], [1009, "rule"]]) {
  test(`the server closes with ${code}`, async (t) => {
    const { until, join } = await start(t);
    const peer = await join(1);
    peer.socket.close(code, "because");
    const { reason, user, room } = await until("closed");
    assert.equal(reason.kind, kind);
    assert.equal(reason.code, code);
    assert.match(reason.error.message, /because/);
    assert.deepEqual([user, room], [null, null]);
  });
}

for (const [what, end] of [["stops", (peer) => peer.socket.close(1001)], ["is gone", (peer) => peer.socket.terminate()],
  ["has trouble", (peer) => peer.socket.close(1011)]]) {
  test(`the server ${what}, and the session comes back`, async (t) => {
    const { script, client, clock, watchers, events, until, admit, join } = await start(t);
    const peer = await join(5);
    clock.pass(60_000);
    const lost = client.chat("lost?");
    await peer.receive();
    events.length = 0;
    end(peer);
    await assert.rejects(lost, ConnectionError);
    const waiting = await until("reconnecting");
    assert.deepEqual({ ...waiting, nextTry: waiting.nextTry - clock.now() },
      { state: "reconnecting", restoring: true, user: "ann", room: 5, tries: 1, nextTry: 500, reason: null });
    assert.equal(watchers.size, 1);
    await assert.rejects(client.chat("not now"), StateError);
    clock.pass(499);
    assert.equal(client.status.state, "reconnecting");
    clock.pass(1);
    assert.equal(client.status.state, "connecting");
    assert.equal(watchers.size, 0);
    const next = await script.accept();
    await admit(next);
    assert.deepEqual(await next.receive(), encodeRoomEnterRequest(5));
    await assert.rejects(client.chat("still not"), StateError);
    next.send(encodeRoomEnterResponse(0, "bob"), encodeRoomChatNotify("bob", "you again"));
    const back = await until("in-room");
    assert.equal(back.restoring, false);
    assert.deepEqual(events, ["reconnecting", "connecting", "connected", "logged-in", "in-room", "bob is in 5", "bob: you again"]);
    const said = client.chat("yes");
    assert.deepEqual(await next.receive(), encodeRoomChatRequest("yes"));
    next.send(encodeRoomChatResponse(0));
    await said;
  });
}

test("without a room only the login comes back", async (t) => {
  const { script, client, clock, until, admit, join } = await start(t);
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
  const { script, client, clock, until, admit, join } = await start(t, { backoff: { first: 100, most: 1000 } });
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
  const { clock, until, join } = await start(t, { random: () => 0 });
  (await join(1)).socket.terminate();
  assert.equal((await until("reconnecting")).nextTry - clock.now(), 250);
});

test("tries have an end if one is wanted", async (t) => {
  const { script, client, until, join } = await start(t, { backoff: { maxTries: 2 } });
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
  const { script, client, watchers, until, join } = await start(t);
  (await join(1)).socket.terminate();
  await until("reconnecting");
  for (const wake of watchers) wake();
  assert.equal(client.status.state, "connecting");
  assert.equal(watchers.size, 0);
  client.tryNow(); // nothing to shorten
  await script.accept();
});

test("close ends the tries", async (t) => {
  const { client, clock, watchers, until, join } = await start(t);
  (await join(1)).socket.terminate();
  await until("reconnecting");
  client.close();
  assert.deepEqual([client.status.state, client.status.reason.kind, client.status.user], ["closed", "here", null]);
  assert.deepEqual([clock.due, watchers.size], [[], 0]);
});

test("the old login is still held for a while", async (t) => {
  const { script, client, clock, watchers, until, admit, join } = await start(t);
  (await join(5)).socket.terminate();
  await until("reconnecting");
  clock.pass(500);
  const peer = await script.accept();
  for (const wait of [500, 1000, 2000]) {
    await peer.receive();
    peer.send(encodeLoginResponse(31));
    const { nextTry, restoring } = await until("reconnecting");
    assert.deepEqual([nextTry - clock.now(), restoring, watchers.size], [wait, true, 0]);
    clock.pass(wait);
  }
  await admit(peer);
  assert.deepEqual(await peer.receive(), encodeRoomEnterRequest(5));
  peer.send(encodeRoomEnterResponse(0));
  await until("in-room");
  assert.equal(client.status.user, "ann");
});

test("the connection breaks while the old login is waited for", async (t) => {
  const { script, clock, until, admit, join } = await start(t);
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
  const { script, client, until, join } = await start(t, { backoff: { maxLogins: 3 } });
  (await join(5)).socket.terminate();
  await until("reconnecting");
  client.tryNow();
  const peer = await script.accept();
  for (let i = 0; i < 3; i++) {
    if (i > 0) {
      await until("reconnecting");
      client.tryNow();
    }
    await peer.receive();
    peer.send(encodeLoginResponse(31));
  }
  const { reason, user } = await until("closed");
  assert.equal(reason.kind, "refused");
  assert.equal(reason.error.code, 31);
  assert.equal(user, null);
  assert.equal(await peer.closed(), 1000);
  assert.equal(client.status.reason.kind, "refused");
});

test("the server is full when the session should come back", async (t) => {
  const { script, client, until, join } = await start(t);
  (await join(5)).socket.terminate();
  await until("reconnecting");
  client.tryNow();
  const peer = await script.accept();
  await peer.receive();
  peer.send(encodeLoginResponse(32));
  assert.equal((await until("closed")).reason.error.code, 32);
});

test("the room is full when the session should come back", async (t) => {
  const { script, client, events, until, admit, join } = await start(t);
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
  const { script, client, until, join } = await start(t);
  (await join(5)).socket.terminate();
  await until("reconnecting");
  client.tryNow();
  (await script.accept()).socket.close(1000);
  assert.equal((await until("closed")).reason.kind, "server");
});

test("no answer in time", async (t) => {
  const { client, clock, until, join } = await start(t);
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
  await assert.rejects(loggedIn, (error) => /not take the connection in time/.test(error.cause.message));
  assert.deepEqual(clock.due, []);
});

test("an event's listener may close the client", async (t) => {
  const { client, events, join } = await start(t);
  const peer = await join(1);
  client.addEventListener("chat", () => client.close());
  peer.send(encodeRoomChatNotify("bob", "1"), encodeRoomChatNotify("bob", "2"));
  await peer.closed();
  assert.deepEqual(events.slice(-2), ["bob: 1", "closed"]);
});
