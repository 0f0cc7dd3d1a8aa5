// What the server tells of itself. Another server may be there after a connection broke, and then it is asked again.

const timeout = 10_000; // milliseconds
const waitToRetry = 5_000; // milliseconds

/** @typedef {{firstRoom: number, rooms: number, announcer: string}} Config */

export class ServerConfig {
  #changed;
  /** @type {string | null} the user id of announcements; null: not known now */
  #announcer = null;
  #formerAnnouncer = "";
  /** @type {(() => void)[]} those who wait to be told whether somebody is the announcer */
  #waiting = [];
  /** @type {AbortController | null} of what is loaded again */
  #renewing = null;

  /** @param {(config: Config) => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<void>} rejected if it cannot be loaded
   */
  async load(signal) {
    this.stop();
    this.#take(await fetched(signal));
  }

  /** Forgets who the announcer is, and loads it again, until that succeeds: the connection is another one. */
  async renew() {
    this.stop();
    this.#formerAnnouncer = this.#announcer ?? this.#formerAnnouncer;
    this.#announcer = null;
    const { signal } = this.#renewing = new AbortController();
    while (!signal.aborted) {
      try {
        const config = await fetched(signal);
        if (!signal.aborted) this.#take(config);
        return;
      } catch {
        if (!signal.aborted) this.#tell(); // nobody is the announcer for now
        await new Promise((resolve) => setTimeout(resolve, waitToRetry));
      }
    }
  }

  /** Ends what renew does. Nobody is told any more. */
  stop() {
    this.#renewing?.abort();
    this.#renewing = null;
    this.#waiting = [];
  }

  /**
   * Tells whether a user is the announcer: at once, or if it was them before the connection broke, as soon as that is
   * known again. The server lets nobody log in with the announcer's id, so that who has it can be trusted; but only the
   * server that is there now.
   * @param {string} user
   * @param {(isAnnouncer: boolean) => void} tell
   */
  judge(user, tell) {
    if (this.#announcer !== null || user !== this.#formerAnnouncer) tell(user === this.#announcer);
    else this.#waiting.push(() => tell(user === this.#announcer));
  }

  /** @param {Config} config */
  #take(config) {
    this.#announcer = config.announcer;
    this.#changed(config);
    this.#tell();
  }

  #tell() {
    for (const tell of this.#waiting.splice(0)) tell();
  }
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<Config>}
 */
async function fetched(signal) {
  const request = new AbortController();
  const abort = () => request.abort();
  const timer = setTimeout(abort, timeout);
  signal.addEventListener("abort", abort);
  try {
    const answer = await fetch("config.json", { signal: request.signal });
    if (!answer.ok) throw new Error(`config.json: ${answer.status}`);
    const { firstRoom, rooms, announcer } = await answer.json();
    if (!Number.isInteger(firstRoom) || !Number.isInteger(rooms) || typeof announcer !== "string") {
      throw new Error("config.json is of another server");
    }
    return { firstRoom, rooms, announcer };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
