// A small chat server for tests of the page: the page's files with the headers of the real one, and the protocol's
// behaviour behind /ws.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { WebSocketServer } from "ws";

import * as protocol from "../../protocol.js";
import { within } from "./wait.js";

const { PacketId, Result } = protocol;

const folder = new URL("../../", import.meta.url);
const types = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  json: "application/json; charset=utf-8",
};
const headers = {
  "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-cache",
};

export class ChatServer {
  config = { firstRoom: 1, rooms: 12, announcer: "SERVER" };
  messageOfTheDay = "";
  mostInRoom = 50;
  isAccepting = true;
  /** Results that the next logins, leaves and chats get, whatever else holds. */
  loginResults = [];
  leaveResults = [];
  chatResults = [];
  /** What comes in one message with the answer to whoever enters a room. */
  firstWords = "";
  /** As a server that is gone without a word: whatever comes is not answered. */
  isDeaf = false;
  /** Files that cannot be loaded. */
  missing = [];
  /** How many times config.json was loaded. */
  configsLoaded = 0;
  /** The texts that clients said. */
  said = [];
  #members = new Map(); // of a socket: {user, room}
  #http;
  #sockets;

  static async listen() {
    const server = new ChatServer();
    server.#http = createServer((request, response) => server.#serve(request, response));
    server.#sockets = new WebSocketServer({ noServer: true });
    server.#http.on("upgrade", (request, socket, head) => {
      if (!server.isAccepting || request.url !== "/ws" || request.headers.origin !== server.url.slice(0, -1)) {
        socket.destroy();
        return;
      }
      server.#sockets.handleUpgrade(request, socket, head, (client) => server.#greet(client));
    });
    server.#http.listen(0, "127.0.0.1");
    await within(once(server.#http, "listening"), "the server");
    server.url = `http://127.0.0.1:${server.#http.address().port}/`;
    return server;
  }

  async close() {
    this.dropAll();
    const closed = once(this.#http, "close");
    this.#http.close();
    this.#http.closeAllConnections();
    await within(closed, "the end of the server");
  }

  /** Breaks all connections. */
  dropAll() {
    for (const client of this.#sockets.clients) client.terminate();
  }

  /** Ends a user's connection, as a kick does. */
  kick(user) {
    for (const [client, member] of this.#members) if (member.user === user) client.close(1000);
  }

  /** Lets somebody who has no connection say something in a room. */
  say(user, text, room) {
    this.#notify(protocol.encodeRoomChatNotify(user, text), (member) => member.room === room);
  }

  announce(text) {
    this.tellAll(this.config.announcer, text);
  }

  /** Lets everybody who is logged in hear something. */
  tellAll(user, text) {
    this.#notify(protocol.encodeRoomChatNotify(user, text), (member) => member.user !== null);
  }

  #notify(packet, isMeant) {
    for (const [client, member] of this.#members) if (isMeant(member)) client.send(packet);
  }

  async #serve(request, response) {
    const name = request.url === "/" ? "index.html" : request.url.slice(1);
    const type = types[name.split(".").at(-1)];
    try {
      if (name === "config.json") this.configsLoaded++;
      if (type === undefined || name.includes("/") || this.missing.includes(name)) throw new Error(`there is no ${name}`);
      const content = name === "config.json" ?
        JSON.stringify(this.config) : await readFile(fileURLToPath(new URL(name, folder)));
      response.writeHead(200, { ...headers, "Content-Type": type });
      response.end(content);
    } catch {
      response.writeHead(404, headers).end();
    }
  }

  #greet(client) {
    this.#members.set(client, { user: null, room: null });
    client.on("close", () => this.#members.delete(client));
    client.on("message", (data) => {
      for (const packet of protocol.decodePackets(new Uint8Array(data))) this.#answer(client, packet);
    });
  }

  #answer(client, packet) {
    if (this.isDeaf) return;
    const member = this.#members.get(client);
    switch (packet.id) {
      case PacketId.LOGIN_REQUEST: {
        const { announcer } = this.config;
        const isTaken = [announcer, ...[...this.#members.values()].map(({ user }) => user)].includes(packet.user);
        const rightful = isTaken || member.user !== null ? Result.LOGIN_USER_ALREADY : Result.NONE;
        const result = this.loginResults.shift() ?? rightful;
        client.send(protocol.encodeLoginResponse(result));
        if (result !== Result.NONE) return;
        member.user = packet.user;
        if (this.messageOfTheDay !== "") client.send(protocol.encodeRoomChatNotify(announcer, this.messageOfTheDay));
        return;
      }
      case PacketId.ROOM_ENTER_REQUEST: {
        const { firstRoom, rooms } = this.config;
        const there = [...this.#members.values()].filter(({ room }) => room === packet.room);
        const isRoom = packet.room >= firstRoom && packet.room < firstRoom + rooms;
        const result = member.user === null ? Result.ENTER_ROOM_NOT_FINDE_USER :
          member.room !== null ? Result.ENTER_ROOM_INVALID_USER_STATUS : !isRoom ? Result.ROOM_INVALID_INDEX :
          there.length >= this.mostInRoom ? Result.ENTER_ROOM_FULL_USER : Result.NONE;
        const packets = [protocol.encodeRoomEnterResponse(result, result === Result.NONE ? there[0]?.user : "")];
        if (this.firstWords !== "") packets.push(protocol.encodeRoomChatNotify("ann", this.firstWords));
        client.send(Buffer.concat(packets));
        if (result === Result.NONE) member.room = packet.room;
        return;
      }
      case PacketId.ROOM_LEAVE_REQUEST:
        client.send(protocol.encodeRoomLeaveResponse(this.leaveResults.shift() ??
          (member.room === null ? Result.LEAVE_ROOM_INVALID_ROOM_INDEX : Result.NONE)));
        member.room = null;
        return;
      case PacketId.ROOM_CHAT_REQUEST: {
        const result = this.chatResults.shift() ??
          (member.room === null ? Result.CHAT_ROOM_INVALID_ROOM_NUMBER : Result.NONE);
        if (result !== Result.NONE) {
          client.send(protocol.encodeRoomChatResponse(result));
          return;
        }
        this.said.push(packet.message);
        client.send(protocol.encodeRoomChatResponse(Result.NONE));
        this.say(member.user, packet.message, member.room);
      }
    }
  }

  /** The names of those who are logged in. */
  get users() {
    return [...this.#members.values()].map(({ user }) => user).filter((user) => user !== null);
  }
}
