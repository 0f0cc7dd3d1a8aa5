// The page: shows the view that the client's status asks for, and passes on what its user wants.

import { BusyError, ChatClient, ConnectionError, ResultError, StateError } from "./client.js";
import { Composer, countBytes } from "./composer.js";
import { ConnectionBar } from "./connectionbar.js";
import { at, visibleName } from "./dom.js";
import { nextLanguage, resultText, say, startLanguage, switchLanguage, told } from "./language.js";
import { MessageLog } from "./messages.js";
import { MAX_USER_BYTES, userProblem } from "./protocol.js";
import { RoomChooser } from "./rooms.js";
import { languages } from "./texts.js";

const mostLines = 1000;
const mostNotices = 20;
const configTimeout = 10_000; // milliseconds

const address = new URL("ws", location.href);
address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
const client = new ChatClient(address);

const bar = new ConnectionBar(() => client.tryNow(), focusView);
const chooser = new RoomChooser(enter);
const composer = new Composer(send);
const log = new MessageLog(at("log"), mostLines, at("below"));
const notices = new MessageLog(at("notices"), mostNotices);

/** @typedef {"login" | "rooms" | "room" | ""} View */
/** @type {View} */
let view = "";
let announcer = ""; // the user id of announcements
let isLoggingIn = false;
let wasRestoring = false;
let unread = 0; // messages that came while the page was not seen

function showStatus() {
  const { status } = client;
  bar.show(status);
  showView(status.user === null ? "login" : status.room === null ? "rooms" : "room");
  at("log-out").hidden = status.user === null;
  if (status.reason !== null && status.reason.kind !== "here") sayWhyClosed(status.reason);
  if (status.restoring !== wasRestoring) {
    wasRestoring = status.restoring;
    if (status.room !== null) log.note(status.restoring ? "interrupted" : "restored");
    if (!status.restoring) composer.reconnected();
  }
}

/** @param {import("./client.js").CloseReason} reason */
function sayWhyClosed({ kind, code, error }) {
  if (error instanceof ResultError) {
    const { key, values } = resultText(error.code);
    say(at("login-error"), key, values);
  } else {
    say(at("login-error"), `closed_${kind}`, { code });
  }
}

/** @param {View} next */
function showView(next) {
  if (view === next) return;
  view = next;
  const { user, room } = client.status;
  for (const name of ["login", "rooms", "room"]) at(`${name}-view`).hidden = name !== view;
  switch (view) {
    case "login":
      showLogin();
      notices.clear();
      break;
    case "rooms":
      chooser.complain("");
      say(at("greeting"), "greeting", { user: visibleName(user ?? "") });
      break;
    case "room":
      say(at("room-title"), "roomName", { room });
      log.clear();
      composer.clear();
      break;
  }
  focusView();
  showTitle();
}

/** Gives the keyboard's focus to where one begins in the view. */
function focusView() {
  if (view === "login") at("name").focus();
  else if (view === "rooms") at("rooms-title").focus();
  // On a phone the keyboard would cover half of what is new to its user.
  else if (matchMedia("(pointer: coarse)").matches) at("room-title").focus();
  else composer.focus();
}

function showTitle() {
  document.title = told("pageTitle", { room: client.status.room, unread });
}

// ---- log in

function showLogin() {
  say(at("log-in"), isLoggingIn ? "loggingIn" : "logIn");
  // It is not disabled, which would take the keyboard's focus from it.
  at("log-in").setAttribute("aria-disabled", String(isLoggingIn));
}

/** @returns {Promise<import("./rooms.js").Config>} */
async function loadConfig() {
  const answer = await fetch("config.json", { signal: AbortSignal.timeout(configTimeout) });
  if (!answer.ok) throw new Error(`config.json: ${answer.status}`);
  return answer.json();
}

/** @param {string} user */
async function logIn(user) {
  let config;
  try {
    config = await loadConfig();
  } catch {
    say(at("login-error"), "closed_unreachable");
    return;
  }
  announcer = config.announcer;
  chooser.show(config);
  try {
    await client.login(user);
  } catch (error) {
    if (error instanceof ResultError) {
      const { key, values } = resultText(error.code);
      say(at("login-error"), key, values);
      client.close();
      at("name").focus();
    } else if (!(error instanceof ConnectionError || error instanceof StateError)) {
      throw error; // the status tells of the others
    }
  }
}

at("login").addEventListener("submit", async (/** @type {Event} */ event) => {
  event.preventDefault();
  if (isLoggingIn) return;
  const user = at("name").value.trim();
  const problem = userProblem(user);
  say(at("login-error"), problem === null ? "" : `name_${problem}`);
  if (problem !== null) {
    at("name").focus();
    return;
  }
  isLoggingIn = true;
  showLogin();
  try {
    await logIn(user);
  } finally {
    isLoggingIn = false;
    showLogin();
  }
});

at("name").addEventListener("input", () => {
  say(at("login-error"), "");
  countBytes(at("name"), at("name-count"), MAX_USER_BYTES, 6);
});

at("log-out").addEventListener("click", () => {
  say(at("login-error"), "");
  client.close();
});

// ---- rooms

/** @param {number} room */
async function enter(room) {
  chooser.complain("");
  try {
    const { rival } = await client.enterRoom(room);
    if (rival === "") log.note("alone");
  } catch (error) {
    complainOfRoom(error, room);
  }
}

/**
 * @param {unknown} error
 * @param {number} room
 */
function complainOfRoom(error, room) {
  if (error instanceof ResultError) {
    const { key, values } = resultText(error.code);
    chooser.complain(key, { ...values, room });
  } else if (error instanceof BusyError) {
    chooser.complain("tooMany");
  } else if (!(error instanceof ConnectionError || error instanceof StateError)) {
    throw error;
  }
}

at("leave").addEventListener("click", async () => {
  try {
    await client.leaveRoom();
  } catch (error) {
    // Who clicks twice has left already. While a connection is made anew nobody can leave; the bar above tells of it.
    if (![ResultError, ConnectionError, StateError, BusyError].some((kind) => error instanceof kind)) throw error;
  }
});

// ---- chat

/**
 * @param {string} text
 * @returns {Promise<string>}
 */
async function send(text) {
  try {
    await client.chat(text);
    return "";
  } catch (error) {
    if (error instanceof ResultError) return resultText(error.code).key;
    if (error instanceof ConnectionError) return "unknownOutcome";
    if (error instanceof StateError) return "notConnected";
    if (error instanceof BusyError) return "tooMany";
    throw error;
  }
}

client.addEventListener("chat", (event) => {
  const { user, text } = /** @type {import("./client.js").ChatEvent} */ (event);
  // The server lets nobody log in with the announcer's id, so that it can be trusted.
  const kind = user === announcer ? "announcement" : user === client.status.user ? "own" : "other";
  const place = view === "room" ? log : notices;
  place.add(kind, user, text, new Date());
  if (document.visibilityState === "hidden") {
    unread++;
    showTitle();
  }
});

client.addEventListener("rival", (event) => {
  const { user } = /** @type {import("./client.js").RivalEvent} */ (event);
  log.note("rival", { user: visibleName(user) });
});

client.addEventListener("roomlost", (event) => {
  const { room, error } = /** @type {import("./client.js").RoomLostEvent} */ (event);
  chooser.complain("roomLost", { room, why: resultText(error.code) });
});

client.addEventListener("state", showStatus);

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") return;
  unread = 0;
  showTitle();
});

// ---- language

function showLanguage() {
  const next = nextLanguage();
  const button = at("language");
  button.textContent = languages[next].language;
  button.lang = next;
  showTitle();
}

at("language").addEventListener("click", () => {
  switchLanguage(nextLanguage());
  showLanguage();
});

startLanguage();
showLanguage();
showStatus();
