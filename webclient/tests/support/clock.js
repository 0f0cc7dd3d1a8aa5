// A clock that stands still until a test moves it.

export class Clock {
  #now = 1_000_000;
  #timers = new Map();
  #last = 0;

  now = () => this.#now;

  setTimeout = (task, milliseconds) => {
    this.#timers.set(++this.#last, { at: this.#now + milliseconds, task });
    return this.#last;
  };

  clearTimeout = (handle) => this.#timers.delete(handle);

  /** How many milliseconds from now the timers are due. */
  get due() {
    return [...this.#timers.values()].map(({ at }) => at - this.#now).sort((a, b) => a - b);
  }

  /** Lets time pass, and the timers that become due run. */
  pass(milliseconds) {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (next === undefined) break;
      const [handle, { at, task }] = next;
      this.#timers.delete(handle);
      this.#now = at;
      task();
    }
    this.#now = end;
  }
}
