// What can come of a request, beside success.

import { resultName } from "./protocol.js";

/** The server's answer is a result other than NONE. */
export class ResultError extends Error {
  /** @param {number} code */
  constructor(code) {
    super(`the server answered ${resultName(code)} (${code})`);
    this.name = "ResultError";
    /** The result. */
    this.code = code;
    /** The result's name in the protocol. */
    this.resultName = resultName(code);
  }
}

/**
 * The connection could not be made, or ended before the answer came. Of a chat it is not known whether it arrived.
 */
export class ConnectionError extends Error {
  /**
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(message, options) {
    super(message, options);
    this.name = "ConnectionError";
  }
}

/** The request was not sent: there is no connection that could take it now. */
export class StateError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "StateError";
  }
}

/** The request was not sent: too many wait for their answers. */
export class BusyError extends Error {
  /** @param {number} most */
  constructor(most) {
    super(`${most} requests wait for their answers`);
    this.name = "BusyError";
  }
}
