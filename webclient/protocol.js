// The packets of the chat server's protocol, as bytes and as objects. It knows neither a network nor a page, and both
// sides: a client's requests are decoded as well, so that tests and tools can play the server.

/** The ids of the packets. */
export const PacketId = Object.freeze({
  LOGIN_REQUEST: 201,
  LOGIN_RESPONSE: 202,
  ROOM_ENTER_REQUEST: 206,
  ROOM_ENTER_RESPONSE: 207,
  ROOM_LEAVE_REQUEST: 209,
  ROOM_LEAVE_RESPONSE: 210,
  ROOM_CHAT_REQUEST: 214,
  ROOM_CHAT_RESPONSE: 215,
  ROOM_CHAT_NOTIFY: 216,
});

/** The results in answers, with the protocol's own spellings, NOT_FINDE included. */
export const Result = Object.freeze({
  NONE: 0, // success
  USER_MGR_INVALID_USER_INDEX: 11,
  USER_MGR_INVALID_USER_UNIQUEID: 12,
  LOGIN_USER_ALREADY: 31,
  LOGIN_USER_USED_ALL_OBJ: 32,
  NEW_ROOM_USED_ALL_OBJ: 41,
  NEW_ROOM_FAIL_ENTER: 42,
  ENTER_ROOM_NOT_FINDE_USER: 51,
  ENTER_ROOM_INVALID_USER_STATUS: 52,
  ENTER_ROOM_NOT_USED_STATUS: 53,
  ENTER_ROOM_FULL_USER: 54,
  ROOM_INVALID_INDEX: 61,
  ROOM_NOT_USED: 62,
  ROOM_TOO_MANY_PACKET: 63,
  LEAVE_ROOM_INVALID_ROOM_INDEX: 71,
  CHAT_ROOM_INVALID_ROOM_NUMBER: 81,
});

/** Bytes of a packet's header. */
export const HEADER_SIZE = 5;
/** The longest user id or password in bytes of UTF-8. */
export const MAX_USER_BYTES = 20;
/** The longest chat text in bytes of UTF-8. */
export const MAX_MESSAGE_BYTES = 256;
/** Bytes of the largest packet, which is a ROOM_CHAT_NOTIFY. */
export const MAX_PACKET_SIZE = 283;

/**
 * A packet as an object. Which of the fields below it has depends on its id.
 * @typedef {object} LoginRequest
 * @property {201} id
 * @property {"LOGIN_REQUEST"} name
 * @property {string} user
 * @property {string} password
 *
 * @typedef {object} LoginResponse
 * @property {202} id
 * @property {"LOGIN_RESPONSE"} name
 * @property {number} result
 *
 * @typedef {object} RoomEnterRequest
 * @property {206} id
 * @property {"ROOM_ENTER_REQUEST"} name
 * @property {number} room
 *
 * @typedef {object} RoomEnterResponse
 * @property {207} id
 * @property {"ROOM_ENTER_RESPONSE"} name
 * @property {number} result
 * @property {string} rival the member who has been there longest; empty: there is none
 *
 * @typedef {object} RoomLeaveRequest
 * @property {209} id
 * @property {"ROOM_LEAVE_REQUEST"} name
 *
 * @typedef {object} RoomLeaveResponse
 * @property {210} id
 * @property {"ROOM_LEAVE_RESPONSE"} name
 * @property {number} result
 *
 * @typedef {object} RoomChatRequest
 * @property {214} id
 * @property {"ROOM_CHAT_REQUEST"} name
 * @property {string} message
 *
 * @typedef {object} RoomChatResponse
 * @property {215} id
 * @property {"ROOM_CHAT_RESPONSE"} name
 * @property {number} result
 *
 * @typedef {object} RoomChatNotify
 * @property {216} id
 * @property {"ROOM_CHAT_NOTIFY"} name
 * @property {string} user
 * @property {string} message
 *
 * @typedef {LoginRequest | LoginResponse | RoomEnterRequest | RoomEnterResponse | RoomLeaveRequest |
 *   RoomLeaveResponse | RoomChatRequest | RoomChatResponse | RoomChatNotify} Packet
 */

/** Bytes that are no packet of the protocol. */
export class ProtocolError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "ProtocolError";
  }
}

/**
 * What keeps a text from being sent.
 * @typedef {"too-long" | "not-unicode" | "has-nul" | "empty" | "has-control"} TextProblem
 */

/** A text that no packet can carry. */
export class TextError extends Error {
  /**
   * @param {string} field
   * @param {TextProblem} problem
   * @param {string} message
   */
  constructor(field, problem, message) {
    super(message);
    this.name = "TextError";
    this.field = field;
    this.problem = problem;
  }
}

const encoder = new TextEncoder();
// Without ignoreBOM a text that begins with U+FEFF would lose it.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * How many bytes of UTF-8 a text is.
 * @param {string} text
 */
export function byteLength(text) {
  return encoder.encode(text).length;
}

/**
 * What is wrong with a chat text; null: nothing.
 * @param {string} text
 * @returns {TextProblem | null}
 */
export function messageProblem(text) {
  return textProblem(text, MAX_MESSAGE_BYTES);
}

/**
 * What is wrong with a user id, for which the server would answer 12; null: nothing.
 * @param {string} text
 * @returns {TextProblem | null}
 */
export function userProblem(text) {
  if (text === "") return "empty";
  const problem = textProblem(text, MAX_USER_BYTES);
  if (problem !== null) return problem;
  return /\p{Cc}/u.test(text) ? "has-control" : null;
}

/**
 * @param {string} text
 * @param {number} most
 * @returns {TextProblem | null}
 */
function textProblem(text, most) {
  // Half of a surrogate pair has no UTF-8; the encoder would send another letter without a word.
  if (/[\ud800-\udfff]/u.test(text)) return "not-unicode";
  if (text.includes("\0")) return "has-nul";
  return byteLength(text) > most ? "too-long" : null;
}

// How the fields of packets are written and read. at counts from the packet's beginning.

/**
 * @typedef {object} Kind
 * @property {number} size
 * @property {(bytes: Uint8Array, at: number, value: any, field: string) => void} write
 * @property {(bytes: Uint8Array, at: number, field: string) => any} read
 */

/**
 * A value in an error's words; texts in quotes, as "3" is no 3.
 * @param {unknown} value
 */
const quoted = (value) => (typeof value === "string" ? JSON.stringify(value) : String(value));

/** @param {Uint8Array} bytes */
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * @param {number} size
 * @param {number} least
 * @param {number} most
 * @param {(view: DataView, at: number, value: number) => void} set
 * @param {(view: DataView, at: number) => number} get
 * @returns {Kind}
 */
function integer(size, least, most, set, get) {
  return {
    size,
    write(bytes, at, value, field) {
      if (!Number.isInteger(value) || value < least || value > most) {
        throw new RangeError(`${field} is ${quoted(value)}, allowed is an integer of ${least} to ${most}`);
      }
      set(viewOf(bytes), at, value);
    },
    read: (bytes, at) => get(viewOf(bytes), at),
  };
}

const u16 = integer(2, 0, 0xffff,
  (view, at, value) => view.setUint16(at, value, true), (view, at) => view.getUint16(at, true));
const i16 = integer(2, -0x8000, 0x7fff,
  (view, at, value) => view.setInt16(at, value, true), (view, at) => view.getInt16(at, true));
const i32 = integer(4, -(2 ** 31), 2 ** 31 - 1,
  (view, at, value) => view.setInt32(at, value, true), (view, at) => view.getInt32(at, true));

/**
 * A text with its terminator, filled up with zeroes.
 * @param {number} most bytes of text
 * @returns {Kind}
 */
function text(most) {
  return {
    size: most + 1,
    write(bytes, at, value, field) {
      if (typeof value !== "string") throw new TypeError(`${field} is ${quoted(value)}, allowed is a text`);
      switch (textProblem(value, most)) {
        case "not-unicode": throw new TextError(field, "not-unicode", `${field} has half of a surrogate pair`);
        case "has-nul": throw new TextError(field, "has-nul", `${field} has a NUL character`);
        case "too-long":
          throw new TextError(field, "too-long", `${field} has ${byteLength(value)} bytes, allowed are ${most}`);
      }
      bytes.set(encoder.encode(value), at); // what is left of a new packet is zero
    },
    read(bytes, at, field) {
      const content = bytes.subarray(at, at + most + 1);
      const end = content.indexOf(0);
      if (end < 0) throw new ProtocolError(`${field} has no terminator in its ${most + 1} bytes`);
      const stray = content.subarray(end).findIndex((byte) => byte !== 0);
      if (stray >= 0) {
        throw new ProtocolError(`${field} has a byte other than zero behind its terminator, at ${end + stray}`);
      }
      try {
        return decoder.decode(content.subarray(0, end));
      } catch {
        throw new ProtocolError(`${field} is not valid UTF-8`);
      }
    },
  };
}

const name = text(MAX_USER_BYTES);
const message = text(MAX_MESSAGE_BYTES);

/**
 * The table of the protocol: by id the name, whether it is the server that sends it, and the fields.
 * @type {Map<number, {name: string, size: number, fromServer: boolean, fields: [string, Kind][]}>}
 */
const layouts = new Map();
for (const [packet, ...fields] of /** @type {[keyof typeof PacketId, ...[string, Kind][]][]} */ ([
  ["LOGIN_REQUEST", ["user", name], ["password", name]],
  ["LOGIN_RESPONSE", ["result", u16]],
  ["ROOM_ENTER_REQUEST", ["room", i32]],
  ["ROOM_ENTER_RESPONSE", ["result", i16], ["rival", name]],
  ["ROOM_LEAVE_REQUEST"],
  ["ROOM_LEAVE_RESPONSE", ["result", i16]],
  ["ROOM_CHAT_REQUEST", ["message", message]],
  ["ROOM_CHAT_RESPONSE", ["result", i16]],
  ["ROOM_CHAT_NOTIFY", ["user", name], ["message", message]],
])) {
  const size = fields.reduce((sum, [, kind]) => sum + kind.size, HEADER_SIZE);
  layouts.set(PacketId[packet], { name: packet, size, fromServer: !packet.endsWith("_REQUEST"), fields });
}

/**
 * @param {number} id
 * @param {...(string | number)} values of its fields, in their order
 */
function encode(id, ...values) {
  const layout = layouts.get(id);
  if (layout === undefined) throw new RangeError(`there is no packet ${id}`);
  const bytes = new Uint8Array(layout.size);
  u16.write(bytes, 0, layout.size, "PacketLength");
  u16.write(bytes, 2, id, "PacketId"); // Type, the byte behind it, is 0
  let at = HEADER_SIZE;
  for (const [i, [field, kind]] of layout.fields.entries()) {
    kind.write(bytes, at, values[i], `${layout.name}.${field}`);
    at += kind.size;
  }
  return bytes;
}

// The encoders throw a TextError, a TypeError or a RangeError for what has no place in the packet. Whether a user id is
// one that the server takes is another question: see userProblem.

/**
 * @param {string} user
 * @param {string} [password]
 */
export const encodeLoginRequest = (user, password = "") => encode(PacketId.LOGIN_REQUEST, user, password);
/** @param {number} result */
export const encodeLoginResponse = (result) => encode(PacketId.LOGIN_RESPONSE, result);
/** @param {number} room */
export const encodeRoomEnterRequest = (room) => encode(PacketId.ROOM_ENTER_REQUEST, room);
/**
 * @param {number} result
 * @param {string} [rival]
 */
export const encodeRoomEnterResponse = (result, rival = "") => encode(PacketId.ROOM_ENTER_RESPONSE, result, rival);
export const encodeRoomLeaveRequest = () => encode(PacketId.ROOM_LEAVE_REQUEST);
/** @param {number} result */
export const encodeRoomLeaveResponse = (result) => encode(PacketId.ROOM_LEAVE_RESPONSE, result);
/** @param {string} message */
export const encodeRoomChatRequest = (message) => encode(PacketId.ROOM_CHAT_REQUEST, message);
/** @param {number} result */
export const encodeRoomChatResponse = (result) => encode(PacketId.ROOM_CHAT_RESPONSE, result);
/**
 * @param {string} user
 * @param {string} message
 */
export const encodeRoomChatNotify = (user, message) => encode(PacketId.ROOM_CHAT_NOTIFY, user, message);

/**
 * Decodes bytes that are exactly one packet.
 *
 * It is as strict with a request's text as with the server's, and so stricter than the server, which takes no offence
 * at what stands behind a terminator. Of the header's Type it reads only the server's, as nobody reads a request's.
 * @param {Uint8Array} bytes
 * @returns {Packet}
 * @throws {ProtocolError}
 */
export function decodePacket(bytes) {
  const length = lengthOf(bytes, 0xffff);
  if (length !== bytes.length) throw new ProtocolError(`a packet of ${length} bytes stands in ${bytes.length}`);
  const id = u16.read(bytes, 2, "PacketId");
  const layout = layouts.get(id);
  if (layout === undefined) throw new ProtocolError(`there is no packet with the id ${id}`);
  if (length !== layout.size) throw new ProtocolError(`${layout.name} has ${length} bytes instead of ${layout.size}`);
  if (layout.fromServer && bytes[4] !== 0) {
    throw new ProtocolError(`${layout.name} has the Type ${bytes[4]} instead of 0`);
  }
  /** @type {Record<string, unknown>} */
  const packet = { id, name: layout.name };
  let at = HEADER_SIZE;
  for (const [field, kind] of layout.fields) {
    packet[field] = kind.read(bytes, at, `${layout.name}.${field}`);
    at += kind.size;
  }
  return /** @type {Packet} */ (/** @type {unknown} */ (packet));
}

/**
 * Decodes a message of a WebSocket: one or more whole packets. Those before a wrong one are still yielded.
 * @param {ArrayBuffer | Uint8Array} data
 * @returns {Generator<Packet, void, void>}
 * @throws {ProtocolError}
 */
export function* decodePackets(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  if (bytes.length === 0) throw new ProtocolError("the message is empty");
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at);
    const length = lengthOf(rest, 0xffff);
    if (length > rest.length) {
      throw new ProtocolError(`the message ends after ${rest.length} bytes of a packet of ${length}`);
    }
    yield decodePacket(rest.subarray(0, length));
    at += length;
  }
}

/**
 * The PacketLength of what begins with a packet.
 * @param {Uint8Array} bytes
 * @param {number} most
 */
function lengthOf(bytes, most) {
  if (bytes.length < 2) throw new ProtocolError("the message ends within a packet's length");
  const length = u16.read(bytes, 0, "PacketLength");
  if (length < HEADER_SIZE || length > most) {
    throw new ProtocolError(`PacketLength is ${length}, allowed is ${HEADER_SIZE} to ${most}`);
  }
  return length;
}

/**
 * The name of a result, or its number if the protocol has none for it.
 * @param {number} code
 */
export function resultName(code) {
  return resultNames.get(code) ?? `ERROR_${code}`;
}

/** @type {Map<number, string>} */
const resultNames = new Map(Object.entries(Result).map(([result, code]) => [code, result]));

/** Cuts a stream, as TCP and TLS deliver it, into packets. */
export class PacketSplitter {
  #rest = new Uint8Array(0);
  #most;

  /** @param {{maxPacketSize?: number}} [options] maxPacketSize: a longer packet is an error */
  constructor({ maxPacketSize = MAX_PACKET_SIZE } = {}) {
    this.#most = maxPacketSize;
  }

  /**
   * Takes the next bytes of the stream, and yields the packets that are whole now, each in memory of its own.
   * @param {Uint8Array} chunk
   * @returns {Generator<Uint8Array, void, void>}
   * @throws {ProtocolError} while iterating, for a length that is out of bounds; nothing can be read behind it
   */
  feed(chunk) {
    const joined = new Uint8Array(this.#rest.length + chunk.length);
    joined.set(this.#rest);
    joined.set(chunk, this.#rest.length);
    this.#rest = joined;
    return this.#packets();
  }

  /** How many bytes are held of a packet that is not whole yet. */
  get held() {
    return this.#rest.length;
  }

  *#packets() {
    while (this.#rest.length >= 2) {
      const length = lengthOf(this.#rest, this.#most);
      if (this.#rest.length < length) return;
      const packet = this.#rest.slice(0, length);
      this.#rest = this.#rest.subarray(length);
      yield packet;
    }
  }
}
