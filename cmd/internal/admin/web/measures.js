// Figures made of two readings of the counters, and how they are written.

/** What a counter grew by in a second. */
export function rate(name, before, now) {
  const seconds = (now.milliseconds - before.milliseconds) / 1000;
  return seconds > 0 ? (now.counters[name] - before.counters[name]) / seconds : NaN;
}

/** The time that a share of the loop's turns between two readings stayed below, in seconds; NaN: there were none. */
export function turnQuantile(share, before, now) {
  const counts = now.turns.map((count, i) => count - before.turns[i]);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return NaN;
  let rest = share * total;
  for (const [i, count] of counts.entries()) {
    const low = i === 0 ? 0 : now.turn_bounds[i - 1];
    const high = now.turn_bounds[i] ?? low; // the last bucket has no upper bound
    if (rest <= count) return low + (high - low) * (count === 0 ? 0 : rest / count);
    rest -= count;
  }
  return now.turn_bounds.at(-1);
}

const units = ["", "k", "M", "G", "T"];

/** 1234567 is 1.23M. */
export function number(value) {
  if (!Number.isFinite(value)) return "–";
  let unit = 0;
  while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return digits(value) + units[unit];
}

export function bytes(value) {
  return Number.isFinite(value) ? `${number(value)}B` : "–";
}

/** Seconds as ns, µs, ms or s. */
export function time(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds === 0) return "0";
  for (const [unit, size] of [["s", 1], ["ms", 1e-3], ["µs", 1e-6]]) {
    if (seconds >= size * 0.9995) return `${digits(seconds / size)} ${unit}`;
  }
  return `${digits(seconds / 1e-9)} ns`;
}

/** 93784 s is 1 d 2 h. */
export function duration(seconds) {
  const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = Math.max(parts.findIndex(([, size]) => seconds >= size), 0);
  const [unit, size] = parts[seconds >= 1 ? first : 3];
  const whole = Math.floor(seconds / size);
  const next = parts[first + 1];
  const rest = next && seconds >= 60 ? ` ${Math.floor((seconds - whole * size) / next[1])} ${next[0]}` : "";
  return `${whole} ${unit}${rest}`;
}

function digits(value) {
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 || Number.isInteger(value) ? 0 : size >= 9.995 ? 1 : 2);
}
