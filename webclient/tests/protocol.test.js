import assert from "node:assert/strict";
import { test } from "node:test";

import * as protocol from "../protocol.js";

const {
  byteLength, decodePacket, decodePackets, messageProblem, PacketId, PacketSplitter, ProtocolError, Result, resultName,
  TextError, userProblem,
} = protocol;

/** Bytes of numbers and of texts, filled up with zeroes to a size. */
function bytes(size, ...parts) {
  const all = parts.flatMap((part) => typeof part === "string" ? [...Buffer.from(part)] : [part]);
  return Uint8Array.from({ length: size }, (_, i) => all[i] ?? 0);
}

/** Puts parts one behind the other. */
const joined = (...parts) => new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));

// Every packet, byte for byte.
const examples = [
  ["LOGIN_REQUEST", protocol.encodeLoginRequest("ann", "pw"), { user: "ann", password: "pw" },
    joined([47, 0, 201, 0, 0], bytes(21, "ann"), bytes(21, "pw"))],
  ["LOGIN_REQUEST", protocol.encodeLoginRequest("홍길동"), { user: "홍길동", password: "" },
    joined([47, 0, 201, 0, 0], bytes(21, 0xed, 0x99, 0x8d, 0xea, 0xb8, 0xb8, 0xeb, 0x8f, 0x99), bytes(21))],
  ["LOGIN_RESPONSE", protocol.encodeLoginResponse(31), { result: 31 }, bytes(7, 7, 0, 202, 0, 0, 31, 0)],
  ["LOGIN_RESPONSE", protocol.encodeLoginResponse(0xfffe), { result: 0xfffe }, bytes(7, 7, 0, 202, 0, 0, 0xfe, 0xff)],
  ["ROOM_ENTER_REQUEST", protocol.encodeRoomEnterRequest(0x01020304), { room: 0x01020304 }, bytes(9, 9, 0, 206, 0, 0, 4, 3, 2, 1)],
  ["ROOM_ENTER_REQUEST", protocol.encodeRoomEnterRequest(-2), { room: -2 }, bytes(9, 9, 0, 206, 0, 0, 0xfe, 0xff, 0xff, 0xff)],
  ["ROOM_ENTER_RESPONSE", protocol.encodeRoomEnterResponse(0, "bob"), { result: 0, rival: "bob" },
    bytes(28, 28, 0, 207, 0, 0, 0, 0, "bob")],
  ["ROOM_ENTER_RESPONSE", protocol.encodeRoomEnterResponse(-2), { result: -2, rival: "" }, bytes(28, 28, 0, 207, 0, 0, 0xfe, 0xff)],
  ["ROOM_LEAVE_REQUEST", protocol.encodeRoomLeaveRequest(), {}, bytes(5, 5, 0, 209, 0, 0)],
  ["ROOM_LEAVE_RESPONSE", protocol.encodeRoomLeaveResponse(71), { result: 71 }, bytes(7, 7, 0, 210, 0, 0, 71)],
  ["ROOM_CHAT_REQUEST", protocol.encodeRoomChatRequest("hi"), { message: "hi" }, bytes(262, 6, 1, 214, 0, 0, "hi")],
  ["ROOM_CHAT_REQUEST", protocol.encodeRoomChatRequest("x".repeat(256)), { message: "x".repeat(256) },
    bytes(262, 6, 1, 214, 0, 0, "x".repeat(256))],
  ["ROOM_CHAT_RESPONSE", protocol.encodeRoomChatResponse(63), { result: 63 }, bytes(7, 7, 0, 215, 0, 0, 63)],
  ["ROOM_CHAT_NOTIFY", protocol.encodeRoomChatNotify("abcdefghijklmnopqrst", "안녕"), { user: "abcdefghijklmnopqrst", message: "안녕" },
    joined([27, 1, 216, 0, 0], bytes(21, "abcdefghijklmnopqrst"), bytes(257, 0xec, 0x95, 0x88, 0xeb, 0x85, 0x95))],
];

for (const [name, encoded, fields, wire] of examples) {
  test(`${name} ${JSON.stringify(fields).slice(0, 40)}`, () => {
    assert.deepEqual(encoded, wire);
    assert.deepEqual(decodePacket(wire), { id: PacketId[name], name, ...fields });
  });
}

test("every packet has an example", () => {
  assert.deepEqual(new Set(examples.map(([name]) => name)), new Set(Object.keys(PacketId)));
  assert.equal(Math.max(...examples.map(([, , , wire]) => wire.length)), protocol.MAX_PACKET_SIZE);
});

test("a message holds one or more packets", () => {
  const all = joined(...examples.map(([, , , wire]) => wire));
  const names = examples.map(([name]) => name);
  assert.deepEqual([...decodePackets(all)].map((packet) => packet.name), names);
  assert.deepEqual([...decodePackets(all.buffer)].map((packet) => packet.name), names, "as a WebSocket gives it");
  const within = joined([1, 2, 3], all, [4]).subarray(3, 3 + all.length);
  assert.deepEqual([...decodePackets(within)].map((packet) => packet.name), names, "in the middle of other memory");
});

test("the packets before a wrong one are yielded", () => {
  const packets = decodePackets(joined(protocol.encodeLoginResponse(0), [5, 0, 1, 0, 0]));
  assert.equal(packets.next().value.name, "LOGIN_RESPONSE");
  assert.throws(() => packets.next(), /no packet with the id 1$/);
});

/** A notify that was changed. */
function broken(change) {
  const wire = protocol.encodeRoomChatNotify("ann", "hi");
  change(wire);
  return wire;
}

const malformed = {
  "the message is empty": [],
  "the message ends within a packet's length": [7],
  "PacketLength is 0, allowed is 5 to 65535": [0, 0],
  "PacketLength is 4, allowed is 5 to 65535": [4, 0, 209, 0],
  "the message ends after 6 bytes of a packet of 7": [7, 0, 202, 0, 0, 0],
  "the message ends after 4 bytes of a packet of 5": [5, 0, 209, 0],
  "there is no packet with the id 300": [5, 0, 0x2c, 1, 0],
  "LOGIN_RESPONSE has 8 bytes instead of 7": [8, 0, 202, 0, 0, 0, 0, 0],
  "LOGIN_RESPONSE has 5 bytes instead of 7": [5, 0, 202, 0, 0],
  "LOGIN_RESPONSE has the Type 1 instead of 0": [7, 0, 202, 0, 1, 0, 0],
  "ROOM_CHAT_NOTIFY.user has no terminator in its 21 bytes": broken((wire) => wire.fill(0x61, 5, 26)),
  "ROOM_CHAT_NOTIFY.message has no terminator in its 257 bytes": broken((wire) => wire.fill(0x61, 26)),
  "ROOM_CHAT_NOTIFY.user has a byte other than zero behind its terminator, at 20": broken((wire) => { wire[25] = 1; }),
  "ROOM_CHAT_NOTIFY.message has a byte other than zero behind its terminator, at 256": broken((wire) => { wire[282] = 1; }),
  "ROOM_CHAT_NOTIFY.user is not valid UTF-8": broken((wire) => { wire[5] = 0xff; }),
  "ROOM_CHAT_NOTIFY.message is not valid UTF-8": broken((wire) => wire.set([0xed, 0xa0, 0x80], 26)), // a surrogate
};

for (const [complaint, wire] of Object.entries(malformed)) {
  test(`refused: ${complaint}`, () => {
    assert.throws(() => [...decodePackets(Uint8Array.from(wire))], (error) => {
      assert.ok(error instanceof ProtocolError);
      assert.equal(error.message, complaint);
      return true;
    });
  });
}

test("other UTF-8 that is none", () => {
  for (const wrong of [[0x80], [0xc3], [0xc0, 0xaf], [0xe2, 0x82], [0xf4, 0x90, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]]) {
    assert.throws(() => decodePacket(broken((wire) => wire.set(wrong, 26))), ProtocolError, wrong.join());
  }
});

test("decodePacket takes exactly one packet", () => {
  assert.throws(() => decodePacket(bytes(6, 5, 0, 209)), /a packet of 5 bytes stands in 6/);
  assert.throws(() => decodePacket(bytes(4, 5, 0, 209)), /a packet of 5 bytes stands in 4/);
});

test("the Type of a request is not read", () => {
  assert.equal(decodePacket(bytes(5, 5, 0, 209, 0, 0xcd)).name, "ROOM_LEAVE_REQUEST");
});

test("a byte order mark is part of a text", () => {
  assert.equal(decodePacket(protocol.encodeRoomChatRequest("\ufeffhi")).message, "\ufeffhi");
});

test("texts that have no place in a packet", () => {
  const cases = [
    [() => protocol.encodeLoginRequest("x".repeat(21)), "too-long", "LOGIN_REQUEST.user has 21 bytes, allowed are 20"],
    [() => protocol.encodeLoginRequest("ann", "가".repeat(7)), "too-long", "LOGIN_REQUEST.password has 21 bytes, allowed are 20"],
    [() => protocol.encodeRoomChatRequest("x".repeat(257)), "too-long", "ROOM_CHAT_REQUEST.message has 257 bytes, allowed are 256"],
    [() => protocol.encodeRoomChatRequest("a\0"), "has-nul", "ROOM_CHAT_REQUEST.message has a NUL character"],
    [() => protocol.encodeRoomChatRequest("a\ud83d"), "not-unicode", "ROOM_CHAT_REQUEST.message has half of a surrogate pair"],
    [() => protocol.encodeRoomChatRequest("\ude00\ud83d"), "not-unicode", "ROOM_CHAT_REQUEST.message has half of a surrogate pair"],
  ];
  for (const [encode, problem, message] of cases) {
    assert.throws(encode, (error) => error instanceof TextError && error.problem === problem && error.message === message, message);
  }
});

test("numbers that have no place in a packet", () => {
  for (const room of [2 ** 31, -(2 ** 31) - 1, 1.5, NaN, "3", undefined]) {
    assert.throws(() => protocol.encodeRoomEnterRequest(room), RangeError, String(room));
  }
  for (const room of [2 ** 31 - 1, -(2 ** 31)]) {
    assert.equal(decodePacket(protocol.encodeRoomEnterRequest(room)).room, room);
  }
  assert.throws(() => protocol.encodeLoginResponse(-1), /LOGIN_RESPONSE.result is -1, allowed is an integer of 0 to 65535/);
  assert.throws(() => protocol.encodeRoomChatResponse(0x8000), RangeError);
});

test("what is wrong with a user id", () => {
  const cases = {
    "": "empty", "ann": null, "가나다라마바": null, "가나다라마바사": "too-long", "a\nb": "has-control", "a\x7f": "has-control",
    "a\x85": "has-control", "a\0": "has-nul", "\ud800": "not-unicode", "a b": null, "👩‍🚀": null,
  };
  for (const [user, problem] of Object.entries(cases)) assert.equal(userProblem(user), problem, JSON.stringify(user));
});

test("what is wrong with a message", () => {
  const cases = { "": null, "a\nb": null, ["😀".repeat(64)]: null, ["😀".repeat(64) + "a"]: "too-long", "\0": "has-nul", "\udc00": "not-unicode" };
  for (const [text, problem] of Object.entries(cases)) assert.equal(messageProblem(text), problem, JSON.stringify(text));
  assert.equal(byteLength("한a😀"), 8);
});

test("results have names", () => {
  assert.equal(resultName(51), "ENTER_ROOM_NOT_FINDE_USER");
  assert.equal(resultName(Result.NONE), "NONE");
  assert.equal(resultName(99), "ERROR_99");
  assert.deepEqual(Object.values(Result), [0, 11, 12, 31, 32, 41, 42, 51, 52, 53, 54, 61, 62, 63, 71, 81]);
});

/** A generator of numbers from 0 to below 1 that can be begun again (mulberry32). */
function randomFrom(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const below = (random, end) => Math.floor(random() * end);
const letters = ["a", "Z", " ", "\n", "é", "한", "글", "\ufeff", "\u202e", "😀", "\u{10ffff}", "\uffff", "<b>", "\x7f"];

/** A text of up to so many bytes. */
function randomText(random, most) {
  const end = random() < 0.2 ? most : below(random, most + 1);
  let text = "";
  for (;;) {
    const longer = text + letters[below(random, letters.length)];
    if (Buffer.byteLength(longer) > end) return text;
    text = longer;
  }
}

/** A packet as bytes, and as what it should be decoded to. */
function randomPacket(random) {
  const result = below(random, 0x8000);
  const [user, other, message] = [randomText(random, 20), randomText(random, 20), randomText(random, 256)];
  const room = below(random, 2 ** 32) - 2 ** 31;
  const kinds = [
    () => [protocol.encodeLoginRequest(user, other), { id: 201, name: "LOGIN_REQUEST", user, password: other }],
    () => [protocol.encodeLoginResponse(result), { id: 202, name: "LOGIN_RESPONSE", result }],
    () => [protocol.encodeRoomEnterRequest(room), { id: 206, name: "ROOM_ENTER_REQUEST", room }],
    () => [protocol.encodeRoomEnterResponse(-result, user), { id: 207, name: "ROOM_ENTER_RESPONSE", result: -result || 0, rival: user }],
    () => [protocol.encodeRoomLeaveRequest(), { id: 209, name: "ROOM_LEAVE_REQUEST" }],
    () => [protocol.encodeRoomLeaveResponse(result), { id: 210, name: "ROOM_LEAVE_RESPONSE", result }],
    () => [protocol.encodeRoomChatRequest(message), { id: 214, name: "ROOM_CHAT_REQUEST", message }],
    () => [protocol.encodeRoomChatResponse(result), { id: 215, name: "ROOM_CHAT_RESPONSE", result }],
    () => [protocol.encodeRoomChatNotify(user, message), { id: 216, name: "ROOM_CHAT_NOTIFY", user, message }],
  ];
  return kinds[below(random, kinds.length)]();
}

test("random packets come back, whole and through a stream that is cut anywhere", () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = randomFrom(seed);
    const sent = Array.from({ length: 1 + below(random, 20) }, () => randomPacket(random));
    const wire = joined(...sent.map(([encoded]) => encoded));
    const wanted = sent.map(([, packet]) => packet);
    assert.deepEqual([...decodePackets(wire)], wanted, `seed ${seed}`);

    const splitter = new PacketSplitter();
    const received = [];
    for (let at = 0; at < wire.length;) {
      const end = Math.min(wire.length, at + below(random, random() < 0.5 ? 4 : 600));
      const chunk = wire.slice(at, end);
      for (const packet of splitter.feed(chunk)) {
        received.push(decodePacket(packet));
        assert.equal(packet.buffer.byteLength, packet.length, "it shares no memory");
      }
      chunk.fill(0xff); // whoever reads may use the memory again
      at = end;
    }
    assert.deepEqual(received, wanted, `seed ${seed}`);
    assert.equal(splitter.held, 0);
  }
});

test("random bytes are decoded or refused, and nothing else", () => {
  for (let seed = 0; seed < 3000; seed++) {
    const random = randomFrom(seed);
    const wire = randomPacket(random)[0];
    for (let n = below(random, 4); n >= 0; n--) wire[below(random, random() < 0.5 ? 5 : wire.length)] = below(random, 256);
    try {
      for (const packet of decodePackets(wire)) assert.equal(PacketId[packet.name], packet.id);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `seed ${seed}: ${error}`);
    }
  }
});

test("a stream with a length that is out of bounds", () => {
  const splitter = new PacketSplitter();
  assert.deepEqual([...splitter.feed(bytes(1, 0x1c))], []);
  assert.equal(splitter.held, 1);
  assert.throws(() => [...splitter.feed(bytes(1, 0x01))], /PacketLength is 284, allowed is 5 to 283/, "as soon as it is there");
  assert.throws(() => [...splitter.feed(bytes(1))], ProtocolError, "and from then on");
  assert.throws(() => [...new PacketSplitter().feed(bytes(2, 4))], ProtocolError);
  const wide = new PacketSplitter({ maxPacketSize: 1024 });
  assert.deepEqual([...wide.feed(bytes(284, 0x1c, 0x01))].map((packet) => packet.length), [284]);
});
