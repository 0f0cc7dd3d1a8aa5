// The admin page: reads the state of the server once a second, draws it, and passes on what the operator wants.

import { ApiError, ask, setToken } from "./api.js";
import { Chart } from "./chart.js";
import { bytes, duration, number, rate, time, turnQuantile } from "./measures.js";

const period = 1000; // milliseconds between two readings
const shown = { rooms: 100, members: 50 };

const at = (id) => document.getElementById(id);
const charts = {
  connections: new Chart(at("chart-connections"), 1, number, 10),
  messages: new Chart(at("chart-messages"), 2, number, 10),
  turns: new Chart(at("chart-turns"), 2, time, 1e-5),
  bytes: new Chart(at("chart-bytes"), 2, bytes, 100),
};

let before = null; // the last reading
let hasChat = null; // whether the server has rooms; null: not known

async function round() {
  try {
    const now = await ask("GET", "/api/status");
    at("trouble").hidden = true;
    showStatus(now);
    before = now;
    if (hasChat !== false) await showRooms();
  } catch (error) {
    await showTrouble(error);
  }
  setTimeout(round, period);
}

async function showTrouble(error) {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 401) {
    await login();
    return;
  }
  before = null;
  const state = at("state");
  state.textContent = error.status === 0 ? "not reachable" : "trouble";
  state.className = "pill lost";
  at("trouble").textContent = `${error.message}; trying again`;
  at("trouble").hidden = false;
}

function login() {
  const dialog = at("login");
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      setToken(at("token").value.replace(/[^\x21-\x7e]/g, "")); // no header could carry the rest
      at("token").value = "";
      resolve();
    }, { once: true });
    dialog.showModal();
  });
}

function showStatus(now) {
  document.title = `${now.name}: ${now.connections}`;
  at("name").textContent = now.name;
  at("state").textContent = now.state;
  at("state").className = `pill ${now.state}`;
  at("about").textContent = `${ports(now)} · ${now.core} · up ${duration(now.uptime_seconds)}`;
  at("drain").disabled = now.state !== "ready";
  at("connections").textContent = number(now.connections);
  at("connections-of").textContent = `of ${number(now.max_connections)}`;
  if (now.lag_seconds < 0) {
    at("trouble").textContent = "The logic loop does not come round.";
    at("trouble").hidden = false;
  }
  showTotals(now);
  charts.connections.add(now.connections);
  if (before === null || before.milliseconds > now.milliseconds) return; // there is nothing to make a rate of
  const received = rate("packets_received", before, now);
  const sent = rate("packets_sent", before, now);
  const [p50, p99] = [0.5, 0.99].map((share) => turnQuantile(share, before, now));
  at("in").textContent = number(received);
  at("out").textContent = number(sent);
  at("p50").textContent = time(p50);
  at("p99").textContent = time(p99);
  charts.messages.add(received, sent);
  charts.turns.add(p50, p99);
  charts.bytes.add(rate("bytes_received", before, now), rate("bytes_sent", before, now));
}

function showTotals(now) {
  const rows = [
    ["Connections accepted", number(now.counters.accepted)],
    ["Connections refused", number(now.counters.refused)],
    ["Messages in", number(now.counters.packets_received)],
    ["Messages out", number(now.counters.packets_sent)],
    ["Bytes in", bytes(now.counters.bytes_received)],
    ["Bytes out", bytes(now.counters.bytes_sent)],
    ["Messages not sent", number(now.counters.sends_dropped)],
    ["Clients slowed", number(now.counters.throttled)],
    ["Message pool in use", `${number(now.messages_in_use)} of ${number(now.message_pool)}`],
    ["Loop lag", now.lag_seconds < 0 ? "–" : time(now.lag_seconds)],
    ...Object.entries(now.closed).sort().map(([reason, count]) => [`Closed: ${reason.replaceAll("_", " ")}`, number(count)]),
  ];
  at("totals").tBodies[0].replaceChildren(...rows.map(([name, value]) => {
    const row = document.createElement("tr");
    row.append(made("td", name), made("td", value));
    return row;
  }));
}

/** A user's name as people can see it: what is invisible or turns the direction of writing is written as its number. */
function visible(name) {
  const shownName = name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
  return shownName.trim() === "" ? JSON.stringify(shownName) : shownName;
}

function made(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

async function showRooms() {
  let answer;
  try {
    answer = await ask("GET", `/api/rooms?limit=${shown.rooms}&members=${shown.members}`);
  } catch (error) {
    if (error.status !== 404) throw error;
    hasChat = false; // a server without rooms
    for (const part of document.querySelectorAll("[data-chat]")) part.hidden = true;
    return;
  }
  hasChat = true;
  at("users").textContent = number(answer.users);
  at("rooms-count").textContent = `${number(answer.total)} ${answer.total === 1 ? "room" : "rooms"} in use`;
  at("no-rooms").hidden = answer.total > 0;
  const most = Math.max(1, ...answer.rooms.map((room) => room.count));
  const list = at("rooms");
  const old = new Map([...list.children].map((item) => [item.dataset.room, item]));
  // An item that stays keeps its state: it may be open, or have the keyboard's focus.
  const items = answer.rooms.map((room) => {
    const item = old.get(String(room.number)) ?? newRoom(room.number);
    updateRoom(item, room, most);
    return item;
  });
  if (answer.total > answer.rooms.length) {
    const more = old.get("more") ?? made("li", "");
    more.dataset.room = "more";
    more.className = "quiet";
    more.textContent = `and ${answer.total - answer.rooms.length} more`;
    items.push(more);
  }
  if (items.length !== list.children.length || items.some((item, i) => list.children[i] !== item)) list.replaceChildren(...items);
}

function newRoom(number) {
  const item = document.createElement("li");
  item.dataset.room = number;
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  summary.append(made("b", `Room ${number}`), document.createElement("meter"), made("span", ""));
  const members = document.createElement("ul");
  members.className = "members";
  details.append(summary, members);
  item.append(details);
  return item;
}

function updateRoom(item, room, most) {
  const meter = item.querySelector("meter");
  meter.max = most;
  meter.value = room.count;
  item.querySelector("summary span").textContent = room.count;
  const list = item.querySelector("ul");
  const names = JSON.stringify(room.members) + room.count;
  if (list.dataset.names === names) return;
  list.dataset.names = names;
  list.replaceChildren(...room.members.map((member) => {
    const entry = document.createElement("li");
    entry.append(made("bdi", visible(member)));
    const button = made("button", "Kick");
    button.type = "button";
    button.className = "danger";
    button.setAttribute("aria-label", `Kick ${visible(member)}`);
    button.addEventListener("click", () => kick(member));
    entry.append(button);
    return entry;
  }));
  if (room.count > room.members.length) list.append(made("li", `and ${room.count - room.members.length} more`));
}

/** Asks in a dialog; about is a name that is shown apart from the words of the question. */
function confirmed(question, about = "") {
  const dialog = at("confirm");
  at("confirm-text").textContent = question;
  at("confirm-about").textContent = about;
  dialog.returnValue = "no";
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
  });
}

/** Names the only port, or every door with its port and how many are connected through it. */
function ports(now) {
  if (now.doors.length === 1) {
    return `port ${now.port}`;
  }
  return now.doors.map((door) => `${door.name} ${door.port}: ${number(door.connections)}`).join(" · ");
}

/** Shows in an <output> what came of a wish. */
async function report(output, act) {
  output.classList.remove("failed");
  try {
    output.textContent = await act();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    output.classList.add("failed");
    output.textContent = error.message;
  }
}

async function kick(user) {
  if (!await confirmed("Disconnect this user? They can connect again.", visible(user))) return;
  await report(at("kicked"), async () => {
    await ask("POST", "/api/kick", { user });
    return `${visible(user)} was disconnected.`;
  });
}

at("kick").addEventListener("submit", (event) => {
  event.preventDefault();
  kick(at("kick-user").value);
});

at("announce").addEventListener("submit", (event) => {
  event.preventDefault();
  const room = at("announce-room").value;
  report(at("announced"), async () => {
    const { receivers } = await ask("POST", "/api/announce", { text: at("announce-text").value, room: room === "" ? null : Number(room) });
    at("announce-text").value = "";
    return `${number(receivers)} ${receivers === 1 ? "user" : "users"} heard it.`;
  });
});

at("reload").addEventListener("click", async () => {
  const notice = at("notice");
  try {
    const { changed, restart } = await ask("POST", "/api/reload", {});
    const parts = [changed.length ? `Changed: ${changed.join(", ")}.` : "No setting has changed that could change now."];
    if (restart.length) parts.push(`After a restart only: ${restart.join(", ")}.`);
    notice.textContent = parts.join(" ");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    notice.textContent = `The settings stay as they are: ${error.message}`;
  }
  notice.hidden = false;
});

at("drain").addEventListener("click", async () => {
  if (!await confirmed("Let nobody in any more, give clients their time to leave, and then stop the server?")) return;
  try {
    await ask("POST", "/api/drain", {});
  } catch (error) {
    await showTrouble(error);
  }
});

round();
