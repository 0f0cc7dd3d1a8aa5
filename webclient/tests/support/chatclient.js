// A client, and the server that a test plays for it.

import assert from "node:assert/strict";
import { WebSocket } from "ws";

import { ChatClient } from "../../client.js";
import {
  encodeLoginRequest, encodeLoginResponse, encodeRoomEnterRequest, encodeRoomEnterResponse,
} from "../../protocol.js";
import { Clock } from "./clock.js";
import { Script } from "./script.js";
import { Queue, within } from "./wait.js";

/** A server, and a client whose events are written down in their order. */
export async function startClient(t, options = {}) {
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
