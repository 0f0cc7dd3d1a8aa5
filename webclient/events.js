// What a ChatClient tells its listeners: client.js has the list of them.

/** Says that the status has changed: "state". */
export class StateEvent extends Event {
  /** @param {Readonly<import("./client.js").Status>} status */
  constructor(status) {
    super("state");
    this.status = status;
  }
}

/** Somebody said something, or the server announced it: "chat". It may come while in no room. */
export class ChatEvent extends Event {
  /**
   * @param {string} user
   * @param {string} text
   */
  constructor(user, text) {
    super("chat");
    this.user = user;
    this.text = text;
  }
}

/** Somebody was in the room that was entered; it is who has been there longest: "rival". */
export class RivalEvent extends Event {
  /**
   * @param {number} room
   * @param {string} user
   */
  constructor(room, user) {
    super("rival");
    this.room = room;
    this.user = user;
  }
}

/** After a new connection the room could not be entered again; the user stays logged in: "roomlost". */
export class RoomLostEvent extends Event {
  /**
   * @param {number} room
   * @param {import("./errors.js").ResultError} error
   */
  constructor(room, error) {
    super("roomlost");
    this.room = room;
    this.error = error;
  }
}
