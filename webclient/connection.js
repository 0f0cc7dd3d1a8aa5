// One connection, from its opening to its end.

import { BusyError, ConnectionError, StateError } from "./errors.js";
import { decodePackets, PacketId, ProtocolError } from "./protocol.js";

/**
 * How a connection ended.
 *
 * - here: it was closed from here
 * - server: the server's logic closed it, as it does with a user who is kicked
 * - rule: the server says that this client broke a rule
 * - protocol: the server sent what the protocol does not allow
 * - broken: anything else; another one may fare better
 * @typedef {object} End
 * @property {"here" | "server" | "rule" | "protocol" | "broken"} kind
 * @property {number | null} code of the WebSocket's close; null: it did not come to one
 * @property {Error | null} error
 */

/**
 * What a connection's owner hears of it. Each is called while a packet or an event is handled, so that what it changes
 * holds before the next packet is.
 * @typedef {object} Handlers
 * @property {() => void} opened
 * @property {(packet: import("./protocol.js").RoomChatNotify) => void} notified
 * @property {(end: End) => void} ended once, and nothing is called after it
 */

/**
 * @typedef {object} Clock
 * @property {() => number} now in milliseconds
 * @property {(task: () => void, milliseconds: number) => unknown} setTimeout
 * @property {(handle: any) => void} clearTimeout
 */

/**
 * @typedef {object} Limits
 * @property {number} connectTimeout milliseconds that opening may take
 * @property {number} answerTimeout milliseconds that the oldest request may wait
 * @property {number} probeTimeout milliseconds in which something must come after a probe
 * @property {number} maxPending requests that may wait
 */

/**
 * @typedef {object} Request
 * @property {number} answerId
 * @property {(packet: any) => any} answered
 * @property {(value: any) => void} resolve
 * @property {(error: Error) => void} reject
 */

/** Codes that this side closes with: a browser's script may use those from 3000 on. */
const closeCodes = { overdue: 4000, protocol: 4002 };

/** Codes that say whose fault it was: 1000 and 1001 apart, the server closes with them who broke a rule. */
const ruleCodes = [1002, 1003, 1007, 1008, 1009];

/** A WebSocket that carries packets. The server answers requests in their order: a queue says whose an answer is. */
export class Connection {
  #socket;
  #clock;
  #limits;
  #handlers;
  /** @type {Request[]} those that wait for their answers, in their order */
  #pending = [];
  /** @type {unknown} of the opening first, then of the oldest request */
  #timer = null;
  /** @type {unknown} of a probe */
  #probing = null;
  #isOpen = false;
  #hasEnded = false;

  /**
   * @param {string} url
   * @param {typeof WebSocket} Socket
   * @param {Clock} clock
   * @param {Limits} limits
   * @param {Handlers} handlers
   */
  constructor(url, Socket, clock, limits, handlers) {
    this.#clock = clock;
    this.#limits = limits;
    this.#handlers = handlers;
    const socket = this.#socket = new Socket(url);
    socket.binaryType = "arraybuffer";
    // They stay for as long as the socket lives: one that is being closed may still report an error.
    socket.addEventListener("open", () => this.#open());
    socket.addEventListener("message", (event) => this.#receive(event.data));
    socket.addEventListener("error", () => {}); // says nothing, and close follows
    socket.addEventListener("close", (event) => this.#closed(event.code, event.reason));
    this.#setTimer(limits.connectTimeout, "the server did not take the connection in time");
  }

  /** Whether requests can be sent. */
  get isOpen() {
    return this.#isOpen && !this.#hasEnded;
  }

  /**
   * Sends a request. answered is given the answer before the next packet is looked at; the promise becomes what it
   * returns or throws. If the connection ends before, it is rejected with a ConnectionError.
   * @template T
   * @param {Uint8Array} bytes
   * @param {number} answerId
   * @param {(packet: any) => T} answered
   * @returns {Promise<T>}
   */
  request(bytes, answerId, answered) {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) {
        reject(new StateError("there is no connection"));
        return;
      }
      if (this.#pending.length >= this.#limits.maxPending) {
        reject(new BusyError(this.#limits.maxPending));
        return;
      }
      this.#pending.push({ answerId, answered, resolve, reject });
      if (this.#pending.length === 1) this.#awaitAnswer();
      this.#socket.send(bytes);
    });
  }

  /**
   * Finds out whether the server is still there: anything that comes says so, and if nothing does the connection ends.
   * @param {Uint8Array} bytes a request that changes nothing, whatever the answer
   * @param {number} answerId
   */
  probe(bytes, answerId) {
    if (!this.isOpen || this.#probing !== null) return;
    this.#probing = this.#clock.setTimeout(() => this.#overdue("the server does not answer any more"),
      this.#limits.probeTimeout);
    // With as many requests as may wait there is enough that the server has to answer.
    this.request(bytes, answerId, () => {}).catch(() => {}); // how the connection ended is told elsewhere
  }

  /** Closes it. What was sent is on its way, what was not answered is rejected. */
  close() {
    this.#end({ kind: "here", code: null, error: null }, 1000);
  }

  #open() {
    if (this.#hasEnded) return;
    this.#clearTimer();
    this.#isOpen = true;
    this.#handlers.opened();
  }

  /** @param {unknown} data */
  #receive(data) {
    if (this.#hasEnded) return;
    this.#stopProbing();
    try {
      if (!(data instanceof ArrayBuffer)) throw new ProtocolError("the server sent a text message");
      for (const packet of decodePackets(data)) {
        this.#take(packet);
        if (this.#hasEnded) return; // a handler closed it
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#end({ kind: "protocol", code: null, error }, closeCodes.protocol);
    }
  }

  /** @param {import("./protocol.js").Packet} packet */
  #take(packet) {
    if (packet.id === PacketId.ROOM_CHAT_NOTIFY) {
      this.#handlers.notified(/** @type {import("./protocol.js").RoomChatNotify} */ (packet));
      return;
    }
    const request = this.#pending[0];
    if (request?.answerId !== packet.id) {
      throw new ProtocolError(request === undefined ?
        `the server sent ${packet.name} and nothing was asked` :
        `the server sent ${packet.name} where ${request.answerId} is due`);
    }
    this.#pending.shift();
    this.#clearTimer();
    if (this.#pending.length > 0) this.#awaitAnswer();
    try {
      request.resolve(request.answered(packet));
    } catch (error) {
      request.reject(/** @type {Error} */ (error));
    }
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #closed(code, reason) {
    const kind = code === 1000 ? "server" : ruleCodes.includes(code) ? "rule" : "broken";
    const words = reason === "" ? "" : `: ${reason}`;
    this.#end({ kind, code, error: new ConnectionError(`the connection ended with code ${code}${words}`) }, null);
  }

  /**
   * @param {End} end
   * @param {number | null} code to close the socket with; null: it is closed
   */
  #end(end, code) {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#clearTimer();
    this.#stopProbing();
    if (code !== null) this.#socket.close(code);
    const error = new ConnectionError(end.kind === "here" ?
      "the connection was closed before the answer came" :
      "the connection ended before the answer came", { cause: end.error ?? undefined });
    for (const request of this.#pending.splice(0)) request.reject(error);
    this.#handlers.ended(end);
  }

  #awaitAnswer() {
    this.#setTimer(this.#limits.answerTimeout, "the server did not answer in time");
  }

  /**
   * @param {number} milliseconds
   * @param {string} complaint
   */
  #setTimer(milliseconds, complaint) {
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = null;
      this.#overdue(complaint);
    }, milliseconds);
  }

  /** @param {string} complaint */
  #overdue(complaint) {
    this.#end({ kind: "broken", code: null, error: new ConnectionError(complaint) }, closeCodes.overdue);
  }

  #stopProbing() {
    if (this.#probing === null) return;
    this.#clock.clearTimeout(this.#probing);
    this.#probing = null;
  }

  #clearTimer() {
    if (this.#timer === null) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
