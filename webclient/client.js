// The chat server's client, for this page and for the page of a game:
//
//   const client = new ChatClient("wss://chat.example/ws");
//   client.addEventListener("chat", ({ user, text }) => …);
//   await client.login("ann");
//   await client.enterRoom(3);
//   await client.chat("Hello");
//
// When a connection breaks it makes another one, logs in and enters the room again.

import { Connection } from "./connection.js";
import { ConnectionError, ResultError, StateError } from "./errors.js";
import { ChatEvent, RivalEvent, RoomLostEvent, StateEvent } from "./events.js";
import {
  encodeLoginRequest, encodeRoomChatRequest, encodeRoomEnterRequest, encodeRoomLeaveRequest, PacketId, Result,
} from "./protocol.js";
import { watchBrowser } from "./watch.js";

export * from "./errors.js";
export * from "./events.js";
export { ProtocolError, Result, TextError } from "./protocol.js";

/**
 * Where a client stands.
 *
 * - closed: there is no connection, and none will be made by itself
 * - connecting: a connection is being made
 * - connected: there is one, and nobody is logged in
 * - logged-in, in-room: as it says
 * - reconnecting: it waits for the next try
 * @typedef {"closed" | "connecting" | "connected" | "logged-in" | "in-room" | "reconnecting"} State
 */

/**
 * Why a client is closed: a connection's end, or
 *
 * - unreachable: no connection came about, or there was nothing to make another one for
 * - refused: after a new connection the server did not take the login again; error is the ResultError
 * @typedef {object} CloseReason
 * @property {"here" | "server" | "rule" | "protocol" | "unreachable" | "refused"} kind
 * @property {number | null} code of the WebSocket's close, if it came to one
 * @property {Error | null} error
 */

/**
 * @typedef {object} Status
 * @property {State} state
 * @property {boolean} restoring a connection broke, and what it was is not back yet
 * @property {string | null} user who is logged in, or will be again
 * @property {number | null} room where they are, or will be again
 * @property {string | null} rival who had been in the room longest when it was entered; empty: nobody was there; null:
 *   in no room yet
 * @property {number} tries how many times a new connection was tried since one last proved steady
 * @property {number | null} nextTry when reconnecting: the time of the next try, by the clock's now
 * @property {CloseReason | null} reason when closed; null: it was never open
 */

/**
 * @typedef {object} Options
 * @property {typeof WebSocket} [WebSocket]
 * @property {Partial<Backoff>} [backoff]
 * @property {Partial<import("./connection.js").Limits>} [limits]
 * @property {import("./connection.js").Clock} [clock]
 * @property {() => number} [random] as Math.random
 * @property {(wake: () => void) => () => void} [watch] while somebody is logged in: calls wake when a try may fare
 *   better than before, or a connection may have died without a word, until the function that it returns is called
 */

/**
 * The events of a client, by their names.
 *
 * - state: the status has changed
 * - chat: somebody said something in the room, this client included, or the server announced it
 * - rival: somebody was in the room that was entered
 * - roomlost: after a new connection the room could not be entered again
 * @typedef {object} Events
 * @property {StateEvent} state
 * @property {ChatEvent} chat
 * @property {RivalEvent} rival
 * @property {RoomLostEvent} roomlost
 */

/**
 * @template {keyof Events} Name
 * @typedef {((event: Events[Name]) => void) | {handleEvent(event: Events[Name]): void}} Listener
 */

/**
 * An EventTarget that knows what its listeners are given.
 * @typedef {object} Target
 * @property {<Name extends keyof Events>(type: Name, listener: Listener<Name> | null,
 *   options?: boolean | AddEventListenerOptions) => void} addEventListener
 * @property {<Name extends keyof Events>(type: Name, listener: Listener<Name> | null,
 *   options?: boolean | EventListenerOptions) => void} removeEventListener
 */

/**
 * @typedef {object} Session
 * @property {string} user
 * @property {Uint8Array} request
 */

/**
 * How long it waits before a try: first, then twice as long each time, up to most. Half of it is left to chance, so
 * that a server that was started again does not see all its clients at once.
 * @typedef {object} Backoff
 * @property {number} first milliseconds
 * @property {number} most milliseconds
 * @property {number} maxTries in a row, then it is closed
 * @property {number} steadyAfter milliseconds that a connection lasts until the waits begin anew
 * @property {number} heldFor milliseconds that the server may hold the old connection's login after a new connection,
 *   then the client is closed
 * @property {number} heldMost milliseconds: the longest wait meanwhile
 */

/**
 * A server that pings every 30 s notices after 60 s at the latest that a connection is gone whose client has changed
 * its network: heldFor is twice that.
 * @type {Backoff}
 */
const defaultBackoff = {
  first: 500, most: 30_000, maxTries: Infinity, steadyAfter: 10_000, heldFor: 120_000, heldMost: 5_000,
};
/** @type {import("./connection.js").Limits} */
const defaultLimits = { connectTimeout: 10_000, answerTimeout: 15_000, probeTimeout: 5_000, maxPending: 64 };
/** @type {import("./connection.js").Clock} */
const defaultClock = {
  now: () => Date.now(),
  setTimeout: (task, milliseconds) => setTimeout(task, milliseconds),
  clearTimeout: (handle) => clearTimeout(handle),
};

const TypedTarget = /** @type {new () => Target & EventTarget} */ (EventTarget);

/** A user of the chat server. What it tells of itself are the events of {@link Events}. */
export class ChatClient extends TypedTarget {
  #url;
  #Socket;
  #clock;
  #limits;
  #backoff;
  #random;
  #watch;
  /** @type {Connection | null} */
  #connection = null;
  /** @type {Session | null} what a new connection logs in with */
  #session = null;
  /** @type {{resolve: () => void, reject: (error: Error) => void} | null} who waits for the first connection */
  #opening = null;
  /** @type {{then: () => void, handle: unknown} | null} */
  #waiting = null;
  /** @type {(() => void) | null} ends what watches the browser, while there is a session */
  #unwatch = null;
  #readyAt = 0; // the time of the last login
  /** @type {Readonly<Status>} */
  #status = Object.freeze({
    state: "closed", restoring: false, user: null, room: null, rival: null, tries: 0, nextTry: null, reason: null,
  });

  /**
   * @param {string | URL} url of the server's WebSocket
   * @param {Options} [options]
   */
  constructor(url, options = {}) {
    super();
    this.#url = String(url);
    this.#Socket = options.WebSocket ?? globalThis.WebSocket;
    this.#clock = options.clock ?? defaultClock;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#backoff = { ...defaultBackoff, ...options.backoff };
    this.#random = options.random ?? Math.random;
    this.#watch = options.watch ?? watchBrowser;
  }

  /** @returns {Readonly<Status>} */
  get status() {
    return this.#status;
  }

  /**
   * Logs in, and connects before if there is no connection. The password is kept for new connections until close.
   * @param {string} user
   * @param {string} [password]
   * @returns {Promise<void>}
   * @throws {ResultError} The server refused; the connection stays for another login.
   * @throws {ConnectionError} There is no connection, or it ended before the answer came.
   * @throws {StateError | BusyError | TextError | TypeError} Nothing was sent, and a connection stays as it is.
   */
  async login(user, password = "") {
    const request = encodeLoginRequest(user, password);
    if (this.#status.state === "closed") await this.#open();
    await this.#ask(request, PacketId.LOGIN_RESPONSE, () => {
      this.#session = { user, request };
      this.#unwatch ??= this.#watch(() => this.#wake());
      this.#readyAt = this.#clock.now();
      this.#become("logged-in", { user, tries: 0 });
    });
  }

  /**
   * @param {number} room
   * @returns {Promise<{room: number, rival: string}>} rival: who has been there longest; empty: nobody was there
   * @throws {ResultError} The server refused.
   * @throws {ConnectionError} The connection ended before the answer came.
   * @throws {StateError | BusyError | RangeError} Nothing was sent.
   */
  async enterRoom(room) {
    const request = encodeRoomEnterRequest(room);
    return this.#ask(request, PacketId.ROOM_ENTER_RESPONSE, (packet) => this.#entered(room, packet.rival));
  }

  /**
   * @returns {Promise<void>}
   * @throws {ResultError} The server refused: it has the user in no room, and so has the status then.
   * @throws {ConnectionError} The connection ended before the answer came.
   * @throws {StateError | BusyError} Nothing was sent.
   */
  async leaveRoom() {
    const isOut = [Result.NONE, Result.LEAVE_ROOM_INVALID_ROOM_INDEX];
    return this.#askAny(encodeRoomLeaveRequest(), PacketId.ROOM_LEAVE_RESPONSE, ({ result }) => {
      // Of two requests for one room the second is refused: by then the status has the user in none already.
      if (isOut.includes(result) && this.#status.room !== null) this.#become("logged-in", { room: null, rival: null });
      if (result !== Result.NONE) throw new ResultError(result);
    });
  }

  /**
   * Says something in the room. The server sends it to everybody there, this client included.
   * @param {string} text
   * @returns {Promise<void>}
   * @throws {ResultError} The server refused.
   * @throws {ConnectionError} The connection ended before the answer came: nobody knows whether the text arrived.
   * @throws {StateError | BusyError | TextError | TypeError} Nothing was sent.
   */
  async chat(text) {
    return this.#ask(encodeRoomChatRequest(text), PacketId.ROOM_CHAT_RESPONSE, () => {});
  }

  /** Ends a wait for the next try, if there is one. */
  tryNow() {
    if (this.#waiting === null) return;
    const { then } = this.#waiting;
    this.#stopWaiting();
    then();
  }

  /** Ends everything: the connection, and what is tried to get one. Another login may follow. */
  close() {
    if (this.#status.state === "closed") return;
    const connection = this.#connection;
    if (connection === null) this.#shut({ kind: "here", code: null, error: null }); // between two tries
    else connection.close();
  }

  /** @returns {Promise<void>} */
  #open() {
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
      try {
        this.#connect();
      } catch (cause) { // an address that is none, or that this page may not have
        this.#opening = null;
        reject(new ConnectionError(`${this.#url} cannot be connected to`, { cause }));
      }
    });
  }

  #connect() {
    const connection = new Connection(this.#url, this.#Socket, this.#clock, this.#limits, {
      opened: () => this.#opened(),
      notified: (packet) => this.dispatchEvent(new ChatEvent(packet.user, packet.message)),
      ended: (end) => {
        if (this.#connection === connection) this.#ended(end);
      },
    });
    this.#connection = connection;
    this.#become("connecting", {});
  }

  #opened() {
    this.#become("connected", {});
    if (this.#session !== null) {
      this.#logInAgain(0, this.#clock.now());
      return;
    }
    this.#opening?.resolve();
    this.#opening = null;
  }

  /** @param {import("./connection.js").End} end */
  #ended(end) {
    this.#connection = null;
    this.#stopWaiting();
    const { kind, code, error } = end;
    if (kind !== "broken") {
      this.#shut({ kind, code, error });
    } else if (this.#session === null) {
      this.#shut({ kind: "unreachable", code, error });
    } else {
      this.#reconnect(code, error);
    }
  }

  /**
   * @param {number | null} code
   * @param {Error | null} error that the last connection ended with
   */
  #reconnect(code, error) {
    const { restoring } = this.#status;
    // A connection that breaks again at once is not what the waits should begin anew for.
    const isSteady = !restoring && this.#clock.now() - this.#readyAt >= this.#backoff.steadyAfter;
    const tries = isSteady ? 0 : this.#status.tries;
    if (tries >= this.#backoff.maxTries) {
      this.#shut({ kind: "unreachable", code, error });
      return;
    }
    this.#wait(this.#delay(tries, this.#backoff.most), { restoring: true, tries: tries + 1 }, () => this.#connect());
  }

  /** The browser has a network again, or its user is back. */
  #wake() {
    if (this.#connection === null) {
      this.tryNow();
    } else if (!this.#status.restoring) {
      // A change of networks or a sleep may have ended the connection without a word. A further login is answered in
      // every state, and changes nothing.
      const { request } = /** @type {Session} */ (this.#session);
      this.#connection.probe(request, PacketId.LOGIN_RESPONSE);
    }
  }

  /**
   * @param {number} logins how many there were over this connection
   * @param {number} since the time of the first of them
   */
  #logInAgain(logins, since) {
    const { request, user } = /** @type {Session} */ (this.#session);
    const { room } = this.#status;
    const answered = this.#send(request, PacketId.LOGIN_RESPONSE, (packet) => {
      if (packet.result === Result.NONE) {
        this.#readyAt = this.#clock.now();
        this.#become("logged-in", { user, restoring: room !== null });
        if (room !== null) this.#enterAgain(room);
      } else if (packet.result === Result.LOGIN_USER_ALREADY && this.#clock.now() - since < this.#backoff.heldFor) {
        // The server may not know yet that the old connection is gone.
        const { most, heldMost } = this.#backoff;
        this.#wait(this.#delay(logins, Math.min(most, heldMost)), {}, () => this.#logInAgain(logins + 1, since));
      } else {
        this.#giveUp(new ResultError(packet.result));
      }
    });
    answered.catch(() => {}); // how the connection ended is told elsewhere
  }

  /** @param {number} room */
  #enterAgain(room) {
    const answered = this.#send(encodeRoomEnterRequest(room), PacketId.ROOM_ENTER_RESPONSE, (packet) => {
      if (packet.result === Result.NONE) {
        this.#entered(room, packet.rival);
        return;
      }
      this.#become("logged-in", { room: null, rival: null, restoring: false });
      this.dispatchEvent(new RoomLostEvent(room, new ResultError(packet.result)));
    });
    answered.catch(() => {}); // as above
  }

  /**
   * @param {number} room
   * @param {string} rival
   */
  #entered(room, rival) {
    this.#become("in-room", { room, rival, restoring: false });
    if (rival !== "") this.dispatchEvent(new RivalEvent(room, rival));
    return { room, rival };
  }

  /** @param {ResultError} error */
  #giveUp(error) {
    const connection = this.#connection;
    this.#connection = null;
    this.#shut({ kind: "refused", code: null, error });
    connection?.close();
  }

  /**
   * Sends a request of the user's. What restores the session has the connection to itself.
   * @template T
   * @param {Uint8Array} bytes
   * @param {number} answerId
   * @param {(packet: any) => T} succeeded
   * @returns {Promise<T>}
   */
  async #ask(bytes, answerId, succeeded) {
    return this.#askAny(bytes, answerId, (packet) => {
      if (packet.result !== Result.NONE) throw new ResultError(packet.result);
      return succeeded(packet);
    });
  }

  /**
   * The same, where answers other than success mean something too.
   * @template T
   * @param {Uint8Array} bytes
   * @param {number} answerId
   * @param {(packet: any) => T} answered
   * @returns {Promise<T>}
   */
  async #askAny(bytes, answerId, answered) {
    if (this.#status.restoring) throw new StateError("the connection is being restored");
    return this.#send(bytes, answerId, answered);
  }

  /**
   * @template T
   * @param {Uint8Array} bytes
   * @param {number} answerId
   * @param {(packet: any) => T} answered
   * @returns {Promise<T>}
   */
  async #send(bytes, answerId, answered) {
    if (this.#connection === null) throw new StateError("there is no connection");
    return this.#connection.request(bytes, answerId, answered);
  }

  /**
   * @param {number} step how many waits there were before
   * @param {number} most
   */
  #delay(step, most) {
    const longest = Math.min(most, this.#backoff.first * 2 ** step);
    return Math.round(longest * (0.5 + this.#random() / 2));
  }

  /**
   * @param {number} delay
   * @param {Partial<Status>} change
   * @param {() => void} then
   */
  #wait(delay, change, then) {
    this.#waiting = { then, handle: this.#clock.setTimeout(() => this.tryNow(), delay) };
    this.#become("reconnecting", { ...change, nextTry: this.#clock.now() + delay });
  }

  #stopWaiting() {
    if (this.#waiting === null) return;
    this.#clock.clearTimeout(this.#waiting.handle);
    this.#waiting = null;
  }

  /** @param {CloseReason} reason */
  #shut(reason) {
    this.#stopWaiting();
    this.#unwatch?.();
    this.#unwatch = null;
    this.#session = null;
    const opening = this.#opening;
    this.#opening = null;
    this.#become("closed", {
      restoring: false, user: null, room: null, rival: null, tries: 0, reason: Object.freeze(reason),
    });
    const { error } = reason;
    const why = error === null ? "" : `: ${error.message}`;
    opening?.reject(new ConnectionError(`there is no connection${why}`, { cause: error ?? undefined }));
  }

  /**
   * @param {State} state
   * @param {Partial<Status>} change
   */
  #become(state, change) {
    this.#status = Object.freeze({ ...this.#status, nextTry: null, reason: null, ...change, state });
    this.dispatchEvent(new StateEvent(this.#status));
  }
}
