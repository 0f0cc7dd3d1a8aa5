// The page: shows the view that the client's status asks for, and passes on what its user wants.

import { BusyError, ChatClient, ConnectionError, Result, ResultError, StateError } from "./client.js";
import { Composer } from "./composer.js";
import { ConnectionBar } from "./connectionbar.js";
import { at, visibleName, visibleText } from "./dom.js";
import { nextLanguage, resultText, say, startLanguage, switchLanguage, told } from "./language.js";
import { LoginForm } from "./login.js";
import { MessageLog } from "./messages.js";
import { followPlace, watchPlaces } from "./places.js";
import { userProblem } from "./protocol.js";
import { RoomChooser } from "./rooms.js";
import { ServerConfig } from "./serverconfig.js";
import { languages } from "./texts.js";
import { recallVisit, rememberVisit } from "./visit.js";

const mostLines = 1000;
const mostNotices = 20;
// Milliseconds: while the server has not noticed yet that the page was loaded again.
const waitsForName = [500, 1000, 2000, 3000, 4000];

const address = new URL("ws", location.href);
address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
const client = new ChatClient(address);

const bar = new ConnectionBar(() => client.tryNow(), focusView);
const form = new LoginForm((user) => logIn(user, null), cancel);
const chooser = new RoomChooser(enter);
const server = new ServerConfig((config) => chooser.show(config));
const composer = new Composer(send, keep);
const log = new MessageLog(at("log"), mostLines, at("below"));
const notices = new MessageLog(at("notices"), mostNotices);

/** @typedef {import("./composer.js").Trouble} Trouble */
/** @typedef {import("./visit.js").Visit} Visit */
/** @typedef {"login" | "rooms" | "room" | ""} View */
/** @type {View} */
let view = "";
let shown = client.status; // the last that was shown
/** @type {AbortController | null} ends what logging in waits for */
let loggingIn = null;
/** @type {Visit | null} what the page is on its way back to */
let returning = null;
let isAway = false; // the browser has put the page by
let lastUser = "";
let unread = 0; // messages that came while the page was not seen

function showStatus() {
  if (isAway) return;
  const before = shown;
  const status = shown = client.status;
  bar.show(status);
  // On the way back to a room the others would only flicker by.
  if (view === "" || returning === null || status.room !== null) {
    showView(status.user === null ? "login" : status.room === null ? "rooms" : "room");
    if (status.user !== null) rememberVisit({ user: status.user, room: status.room });
    else if (before.user !== null) rememberVisit(null);
    if (returning === null) followPlace(status.room);
  }
  at("log-out").hidden = view === "login";
  at("leave").setAttribute("aria-disabled", String(status.restoring));
  tellChanges(before, status);
}

/**
 * Says what is different.
 * @param {Readonly<import("./client.js").Status>} before
 * @param {Readonly<import("./client.js").Status>} now
 */
function tellChanges(before, now) {
  const { state, restoring, room, rival, reason } = now;
  if (reason !== null && reason !== before.reason && reason.kind !== "here") sayWhyClosed(reason);
  if (restoring && state === "connected") server.renew();
  if (restoring && !before.restoring && room !== null) log.note("interrupted");
  if (!restoring && before.restoring) composer.reconnected();
  if (state !== "in-room" || before.state === "in-room") return;
  const isBack = before.restoring || returning !== null;
  if (isBack) log.note("restored");
  if (rival) log.note("rival", { user: visibleName(rival) });
  else if (!isBack) log.note("alone");
}

/** @param {import("./client.js").CloseReason} reason */
function sayWhyClosed({ kind, code, error }) {
  if (error instanceof ResultError) complainOfLogin(error.code);
  else form.complain(`closed_${kind}`, { code });
}

/** @param {View} next */
function showView(next) {
  if (view === next) return;
  view = next;
  const { user, room } = client.status;
  for (const name of ["login", "rooms", "room"]) at(`${name}-view`).hidden = name !== view;
  switch (view) {
    case "login":
      server.stop();
      log.clear(); // it is nobody else's business
      notices.clear();
      chooser.complain("");
      break;
    case "rooms":
      say(at("greeting"), "greeting", { user: visibleName(user ?? "") });
      break;
    case "room":
      say(at("room-title"), "roomName", { room });
      log.clear();
      break;
  }
  if (user !== null) {
    if (user !== lastUser) composer.clear();
    lastUser = user;
  }
  focusView();
  showTitle();
}

/** Gives the keyboard's focus to where one begins in the view. */
function focusView() {
  if (view === "login") form.focus();
  else if (view === "rooms") chooser.focus();
  // On a phone the keyboard would cover half of what is new to its user.
  else if (matchMedia("(pointer: coarse)").matches) at("room-title").focus();
  else composer.focus();
}

function showTitle() {
  document.title = told("pageTitle", { room: client.status.room, unread });
}

// ---- log in

/**
 * @param {string} user
 * @param {Visit | null} visit that is gone on with
 */
async function logIn(user, visit) {
  const own = loggingIn = new AbortController();
  returning = visit;
  form.complain("");
  form.wait(true);
  try {
    if (!await askToLogIn(user, visit === null ? [] : waitsForName, own.signal)) return;
    if (visit !== null && visit.room !== null) await enter(visit.room);
  } finally {
    if (loggingIn === own) { // and not a later one, after the page was put by
      loggingIn = null;
      returning = null;
      form.wait(false);
      showStatus();
    }
  }
}

/**
 * @param {string} user
 * @param {number[]} waits for the name, if the server still has it
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>}
 */
async function askToLogIn(user, waits, signal) {
  try {
    await server.load(signal);
  } catch {
    if (!signal.aborted) form.complain("closed_unreachable");
    return false;
  }
  for (const wait of [...waits, null]) {
    if (signal.aborted) return false;
    try {
      await client.login(user);
      return true;
    } catch (error) {
      if (error instanceof ConnectionError || error instanceof StateError) return false; // the status tells of them
      if (!(error instanceof ResultError)) throw error;
      if (error.code !== Result.LOGIN_USER_ALREADY || wait === null) {
        rememberVisit(null);
        client.close();
        complainOfLogin(error.code);
        return false;
      }
      await pause(wait, signal);
    }
  }
  return false;
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal that ends it at once
 */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", resolve);
  });
}

/** @param {number} code */
function complainOfLogin(code) {
  const { key, values } = resultText(code);
  const isOfName = code === Result.LOGIN_USER_ALREADY || code === Result.USER_MGR_INVALID_USER_UNIQUEID;
  form.complain(key, values, isOfName);
  form.focus();
}

/** Ends the visit, or what was to become one. */
function cancel() {
  rememberVisit(null);
  loggingIn?.abort();
  client.close();
}

at("log-out").addEventListener("click", () => {
  form.complain("");
  composer.clear();
  cancel();
});

// ---- a visit that outlasts the page

/** Goes on with what a reload, or another page in this tab, has interrupted. */
function goOn() {
  const visit = recallVisit();
  if (visit === null || userProblem(visit.user) !== null) {
    showStatus();
    return;
  }
  form.fill(visit.user);
  logIn(visit.user, visit);
  showStatus();
}

// A browser may keep the page for when its user comes back, and the connection with it: nobody could have the name.
addEventListener("pagehide", () => {
  isAway = true;
  loggingIn?.abort();
  server.stop();
  client.close();
});

addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  isAway = false;
  goOn();
});

// ---- rooms

/** @param {number} room */
async function enter(room) {
  chooser.complain("");
  try {
    await client.enterRoom(room);
  } catch (error) {
    complainOfRoom(error, room);
    if (returning === null) followPlace(client.status.room);
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

async function leave() {
  try {
    await client.leaveRoom();
  } catch (error) {
    if (error instanceof StateError) composer.complain({ key: "leaveLater" });
    else if (error instanceof BusyError) composer.complain({ key: "tooMany" });
    // Who clicks twice has left already, and the status tells of an end of the connection.
    else if (!(error instanceof ResultError || error instanceof ConnectionError)) throw error;
    followPlace(client.status.room);
  }
}

at("leave").addEventListener("click", leave);

watchPlaces((room) => {
  if (returning !== null) return; // it is followed when the page is back
  const { status } = client;
  if (room === null && status.room !== null) leave();
  else if (room !== null && status.room === null && status.user !== null) enter(room);
  else followPlace(status.room);
});

// ---- chat

/**
 * @param {string} text
 * @returns {Promise<Trouble | null>}
 */
async function send(text) {
  try {
    await client.chat(text);
    return null;
  } catch (error) {
    if (error instanceof ResultError) return resultText(error.code);
    if (error instanceof ConnectionError) return { key: "unknownOutcome" };
    if (error instanceof StateError) return { key: "notConnected" };
    if (error instanceof BusyError) return { key: "tooMany" };
    throw error;
  }
}

/**
 * @param {string} text
 * @param {Trouble} why
 */
function keep(text, why) {
  if (view !== "room") return false;
  log.note("undelivered", { text: visibleText(text), why });
  return true;
}

client.addEventListener("chat", ({ user, text }) => {
  const time = new Date();
  server.judge(user, (isAnnouncer) => {
    const kind = isAnnouncer ? "announcement" : user === client.status.user ? "own" : "other";
    const place = view === "room" ? log : notices;
    place.add(kind, user, text, time);
  });
  if (document.visibilityState === "hidden") {
    unread++;
    showTitle();
  }
});

client.addEventListener("roomlost", ({ room, error }) => {
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
at("loading").remove();
goOn();
