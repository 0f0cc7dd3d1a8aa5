// Line charts of the last two minutes, as SVG.

const namespace = "http://www.w3.org/2000/svg";
const points = 120; // seconds
const margin = { left: 52, right: 6, top: 8, bottom: 6 };

/** A chart of one or two lines in an <svg>; format makes a label of a value. */
export class Chart {
  #svg;
  #format;
  #least;
  #lines;

  constructor(svg, lines, format, least = 1) {
    this.#svg = svg;
    this.#format = format;
    this.#least = least; // the top is never below it
    this.#lines = Array.from({ length: lines }, () => []);
    svg.setAttribute("role", "img");
    new ResizeObserver(() => this.#draw()).observe(svg);
  }

  /** Adds a second; a value may be NaN: nothing is known. */
  add(...values) {
    values.forEach((value, i) => {
      const line = this.#lines[i];
      line.push(value);
      if (line.length > points) line.shift();
    });
    this.#draw();
  }

  #draw() {
    const { width, height } = this.#svg.getBoundingClientRect();
    if (width === 0) return;
    const known = this.#lines.flat().filter(Number.isFinite);
    const top = niceTop(Math.max(this.#least, ...known));
    const x = (i, length) => margin.left + (width - margin.left - margin.right) * (points - length + i) / (points - 1);
    const y = (value) => height - margin.bottom - (height - margin.top - margin.bottom) * value / top;
    const parts = [];
    for (const share of [0, 0.5, 1]) {
      const line = element("line", { x1: margin.left, x2: width - margin.right, y1: y(top * share), y2: y(top * share), class: "grid" });
      const label = element("text", { x: margin.left - 6, y: y(top * share) + 4, "text-anchor": "end" });
      label.textContent = this.#format(top * share);
      parts.push(line, label);
    }
    this.#lines.forEach((line, index) => {
      let run = [];
      const flush = () => {
        if (run.length > 1) parts.push(element("polyline", { points: run.join(" "), class: index === 0 ? "first" : "second" }));
        run = [];
      };
      line.forEach((value, i) => {
        if (Number.isFinite(value)) run.push(`${x(i, line.length).toFixed(1)},${y(value).toFixed(1)}`);
        else flush();
      });
      flush();
    });
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#svg.setAttribute("aria-label", this.#lines.map((line) => this.#format(line.at(-1) ?? NaN)).join(", "));
    this.#svg.replaceChildren(...parts);
  }
}

function element(name, attributes) {
  const made = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** The next of 1, 2, 5, 10, 20 … that is not below value. */
function niceTop(value) {
  const magnitude = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((step) => step * magnitude >= value * 0.999) * magnitude;
}
