// What the page says, in each of its languages. A text with numbers or names in it is a function of them.

/**
 * @typedef {Record<string, any>} Values
 * @typedef {string | ((values: Values) => string)} Text
 */

const s = (/** @type {number} */ count) => (count === 1 ? "" : "s");

/** @type {Record<string, Text>} */
const english = {
  language: "English",
  title: "Chat",
  roomName: ({ room }) => `Room ${room}`,
  pageTitle: ({ room, unread }) => `${unread ? `(${unread}) ` : ""}${room === null ? "Chat" : `Room ${room} – Chat`}`,

  state_closed: "Not connected",
  state_connecting: "Connecting…",
  state_connected: "Connected",
  "state_logged-in": "Connected",
  "state_in-room": "Connected",
  state_reconnecting: "Reconnecting",
  lost: "The connection was lost.",
  nextTry: ({ seconds }) => `Next try in ${seconds} s`,
  trying: "Trying to connect…",
  tryNow: "Try now",

  loginTitle: "Come in",
  loginAbout: "Choose the name that others will see.",
  name: "Name",
  logIn: "Log in",
  loggingIn: "Logging in…",
  cancel: "Cancel",
  logOut: "Log out",
  greeting: ({ user }) => `Hello, ${user}`,

  roomsTitle: "Choose a room",
  roomRange: ({ first, last }) => `Room number, ${first} to ${last}`,
  roomOutside: ({ first, last }) => `Rooms have numbers from ${first} to ${last}.`,
  noRooms: "This server has no rooms.",
  enterRoom: "Enter",
  leaveRoom: "Leave room",
  announcements: "Announcements",
  announcement: "Announcement",

  messages: "Messages",
  message: "Message",
  messageHint: "Write a message",
  send: "Send",
  you: "You",
  newBelow: "New messages below",
  rival: ({ user }) => `${user} has been here longest.`,
  alone: "Nobody else is here yet.",
  interrupted: "The connection was lost. What is said now is missed.",
  restored: "You are in the room again.",
  undelivered: ({ text, why }) => `Your message “${text}”: ${why}`,

  bytesLeft: ({ count }) => `${count} byte${s(count)} left`,
  bytesOver: ({ count, most }) => `${count} byte${s(count)} too long: at most ${most} fit`,

  "name_empty": "Please enter a name.",
  "name_too-long": "The name is too long: at most 20 bytes fit, which are 20 letters from a to z or 6 of Hangul.",
  "name_has-control": "The name has a character that cannot be seen.",
  "name_has-nul": "The name has a character that cannot be seen.",
  "name_not-unicode": "The name has a character that cannot be sent.",
  "message_too-long": ({ most, count }) =>
    `The message has ${count} bytes; at most ${most} can be sent. Please shorten it.`,
  "message_has-nul": "The message has a character that cannot be sent.",
  "message_not-unicode": "The message has a character that cannot be sent.",
  notConnected: "There is no connection now. The message stays here until there is one.",
  leaveLater: "There is no connection now. You can leave the room when there is one, or log out.",
  unknownOutcome: "The connection was lost before the server answered. Your message may not have arrived.",
  tooMany: "The server has not answered yet. Please wait a moment.",

  closed_server: "The server ended your connection. You can log in again.",
  closed_rule: ({ code }) =>
    `The server ended the connection because something was sent that it does not allow (${code}).`,
  closed_protocol: "The server sent something that this page does not understand, so the connection was ended.",
  closed_unreachable: "The server cannot be reached. Please try again in a moment.",
  roomLost: ({ room, why }) => `You are no longer in room ${room}: ${why}`,

  result_11: "The server does not know this user (11).",
  result_12: "The server does not accept this name (12).",
  result_31: "This name is in use (31). Please choose another one, or try again in a moment.",
  result_32: "The server is full (32). Please try again later.",
  result_41: "The server has no room left to open (41).",
  result_42: "The new room could not be entered (42).",
  result_51: "The server does not have you as logged in (51).",
  result_52: "You are in a room already (52).",
  result_53: "This room is not in use (53).",
  result_54: "This room is full (54).",
  result_61: "There is no such room (61).",
  result_62: "This room is not in use (62).",
  result_63: "The server does not accept this message (63).",
  result_71: "You are in no room (71).",
  result_81: "You are in no room, so nobody could read this (81).",
  result: ({ code }) => `The server refused it (${code}).`,
};

/** @type {Record<string, Text>} */
const korean = {
  language: "한국어",
  title: "채팅",
  roomName: ({ room }) => `${room}번 방`,
  pageTitle: ({ room, unread }) => `${unread ? `(${unread}) ` : ""}${room === null ? "채팅" : `${room}번 방 – 채팅`}`,

  state_closed: "연결되지 않음",
  state_connecting: "연결 중…",
  state_connected: "연결됨",
  "state_logged-in": "연결됨",
  "state_in-room": "연결됨",
  state_reconnecting: "재연결 중",
  lost: "연결이 끊어졌습니다.",
  nextTry: ({ seconds }) => `${seconds}초 후 다시 시도`,
  trying: "연결을 시도하는 중…",
  tryNow: "지금 시도",

  loginTitle: "들어오세요",
  loginAbout: "다른 사람에게 보일 이름을 정하세요.",
  name: "이름",
  logIn: "로그인",
  loggingIn: "로그인하는 중…",
  cancel: "취소",
  logOut: "로그아웃",
  greeting: ({ user }) => `${user} 님, 안녕하세요`,

  roomsTitle: "방을 고르세요",
  roomRange: ({ first, last }) => `방 번호 (${first}~${last})`,
  roomOutside: ({ first, last }) => `방 번호는 ${first}부터 ${last}까지입니다.`,
  noRooms: "이 서버에는 방이 없습니다.",
  enterRoom: "입장",
  leaveRoom: "방 나가기",
  announcements: "공지",
  announcement: "공지",

  messages: "메시지",
  message: "메시지",
  messageHint: "메시지를 입력하세요",
  send: "보내기",
  you: "나",
  newBelow: "아래에 새 메시지",
  rival: ({ user }) => `${user} 님이 가장 오래 있었습니다.`,
  alone: "아직 다른 사람이 없습니다.",
  interrupted: "연결이 끊어졌습니다. 지금 오가는 대화는 볼 수 없습니다.",
  restored: "다시 방에 들어왔습니다.",
  undelivered: ({ text, why }) => `보낸 메시지 “${text}”: ${why}`,

  bytesLeft: ({ count }) => `${count}바이트 남음`,
  bytesOver: ({ count, most }) => `${count}바이트 초과: 최대 ${most}바이트`,

  "name_empty": "이름을 입력하세요.",
  "name_too-long": "이름이 너무 깁니다. 최대 20바이트이며, 한글은 6자, 영문은 20자까지입니다.",
  "name_has-control": "이름에 보이지 않는 문자가 있습니다.",
  "name_has-nul": "이름에 보이지 않는 문자가 있습니다.",
  "name_not-unicode": "이름에 보낼 수 없는 문자가 있습니다.",
  "message_too-long": ({ most, count }) => `메시지가 ${count}바이트입니다. ${most}바이트까지 보낼 수 있으니 줄여 주세요.`,
  "message_has-nul": "메시지에 보낼 수 없는 문자가 있습니다.",
  "message_not-unicode": "메시지에 보낼 수 없는 문자가 있습니다.",
  notConnected: "지금은 연결되어 있지 않습니다. 다시 연결될 때까지 메시지를 그대로 둡니다.",
  leaveLater: "지금은 연결되어 있지 않습니다. 다시 연결된 뒤에 방에서 나가거나, 지금 로그아웃할 수 있습니다.",
  unknownOutcome: "서버가 답하기 전에 연결이 끊어졌습니다. 메시지가 전달되지 않았을 수 있습니다.",
  tooMany: "서버가 아직 답하지 않았습니다. 잠시 기다려 주세요.",

  closed_server: "서버가 연결을 끊었습니다. 다시 로그인할 수 있습니다.",
  closed_rule: ({ code }) => `허용되지 않는 것을 보내서 서버가 연결을 끊었습니다 (${code}).`,
  closed_protocol: "서버가 보낸 내용을 이해할 수 없어 연결을 끊었습니다.",
  closed_unreachable: "서버에 연결할 수 없습니다. 잠시 후 다시 시도해 주세요.",
  roomLost: ({ room, why }) => `${room}번 방에서 나오게 되었습니다. ${why}`,

  result_11: "서버가 이 사용자를 알지 못합니다 (11).",
  result_12: "서버가 이 이름을 받지 않습니다 (12).",
  result_31: "이미 사용 중인 이름입니다 (31). 다른 이름을 쓰거나 잠시 후 다시 시도해 주세요.",
  result_32: "서버가 가득 찼습니다 (32). 나중에 다시 시도해 주세요.",
  result_41: "서버에 더 열 수 있는 방이 없습니다 (41).",
  result_42: "새 방에 들어가지 못했습니다 (42).",
  result_51: "서버에 로그인되어 있지 않습니다 (51).",
  result_52: "이미 방에 들어와 있습니다 (52).",
  result_53: "사용 중이 아닌 방입니다 (53).",
  result_54: "방이 가득 찼습니다 (54).",
  result_61: "그런 방이 없습니다 (61).",
  result_62: "사용 중이 아닌 방입니다 (62).",
  result_63: "서버가 이 메시지를 받지 않습니다 (63).",
  result_71: "들어와 있는 방이 없습니다 (71).",
  result_81: "방에 있지 않아 아무도 읽을 수 없습니다 (81).",
  result: ({ code }) => `서버가 거절했습니다 (${code}).`,
};

/** The languages, by their tags. Each has the same texts. */
export const languages = Object.freeze({ en: english, ko: korean });
