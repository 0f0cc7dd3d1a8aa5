// A WebSocket server whose every byte is the test's.

import { once } from "node:events";
import { WebSocketServer } from "ws";

import { Queue, within } from "./wait.js";

/** One connection, seen from the server. */
class Peer {
  #messages = new Queue();
  #closed = new Queue();

  constructor(socket) {
    this.socket = socket;
    socket.on("message", (data, isBinary) => this.#messages.put(isBinary ? new Uint8Array(data) : data.toString()));
    socket.on("close", (code) => this.#closed.put(code));
  }

  /** The next message of the client. */
  receive() {
    return this.#messages.take("a message of the client");
  }

  /** How many messages have come that nobody has received. */
  get waiting() {
    return this.#messages.length;
  }

  /** The code that the connection was closed with. */
  closed() {
    return this.#closed.take("the end of the connection");
  }

  /** Sends all the packets as one message. */
  send(...packets) {
    this.socket.send(Buffer.concat(packets));
  }
}

export class Script {
  #peers = new Queue();
  #server;

  /** Listens on a port of its own. */
  static async listen() {
    const script = new Script();
    script.#server = new WebSocketServer({ host: "127.0.0.1", port: 0, path: "/ws" });
    script.#server.on("connection", (socket) => script.#peers.put(new Peer(socket)));
    await within(once(script.#server, "listening"), "the server");
    script.url = `ws://127.0.0.1:${script.#server.address().port}/ws`;
    return script;
  }

  /** The next client that connects. */
  accept() {
    return this.#peers.take("a client");
  }

  async close() {
    for (const socket of this.#server.clients) socket.terminate();
    const closed = once(this.#server, "close");
    this.#server.close();
    await within(closed, "the end of the server");
  }
}
