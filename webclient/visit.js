// What this tab remembers of a visit, so that a reload does not end it: who is logged in, and where. Never a password.

/** @typedef {{user: string, room: number | null}} Visit */

const remembered = "chat-visit";

/** @type {Visit | null} for a browser that keeps nothing: then it lasts as long as the page */
let current = null;

/** @returns {Visit | null} null: there is none to go on with */
export function recallVisit() {
  try {
    const visit = JSON.parse(sessionStorage.getItem(remembered) ?? "null");
    // Others can write there as well.
    if (typeof visit?.user !== "string") return null;
    return { user: visit.user, room: Number.isInteger(visit.room) ? visit.room : null };
  } catch {
    return current;
  }
}

/** @param {Visit | null} visit */
export function rememberVisit(visit) {
  current = visit;
  try {
    if (visit === null) sessionStorage.removeItem(remembered);
    else sessionStorage.setItem(remembered, JSON.stringify(visit));
  } catch {
    // As above.
  }
}
