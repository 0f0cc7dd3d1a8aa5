// The room as a place in the browser's history: Back leaves it, and Forward enters it again.

/** @returns {number | null} the room of the place where the history is */
function roomHere() {
  const room = history.state?.room;
  return Number.isInteger(room) ? room : null;
}

/** @type {number | null} */
let wanted = null;
let isGoingBack = false; // which takes the browser a while

/**
 * Lets the history follow where the user is.
 * @param {number | null} room
 */
export function followPlace(room) {
  wanted = room;
  const here = roomHere();
  if (isGoingBack || here === room) return;
  if (room === null) {
    isGoingBack = true;
    history.back(); // to what was before the room
  } else if (here === null) {
    history.pushState({ room }, "");
  } else {
    history.replaceState({ room }, "");
  }
}

/**
 * Calls goTo when the user has gone somewhere by the browser's buttons. Whoever cannot follow calls followPlace.
 * @param {(room: number | null) => void} goTo
 */
export function watchPlaces(goTo) {
  addEventListener("popstate", () => {
    if (isGoingBack) {
      isGoingBack = false;
      followPlace(wanted); // the user may be somewhere else by now
    } else {
      goTo(roomHere());
    }
  });
}
