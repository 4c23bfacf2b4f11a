/**
 * Charts as SVG text: no scripts, no fonts, no network. Colours come from the page's CSS.
 *
 * @module
 */

/** A line of a chart. */
export interface Series {
  /** For the legend. */
  readonly name: string;
  /** CSS class of the line: `s1`, `s2`, … */
  readonly css: string;
  /** Values; undefined leaves a gap. */
  readonly points: readonly { readonly x: number; readonly y: number | undefined }[];
  /** Whether points are marked, for few of them. */
  readonly marks?: boolean;
}

/** Texts around a chart. */
export interface ChartText {
  /** What it shows, for readers of the page and for screen readers. */
  readonly title: string;
  /** Horizontal axis. */
  readonly x: string;
  /** Vertical axis. */
  readonly y: string;
  /** Ends of the horizontal axis; those of the values unless given. */
  readonly range?: { readonly from: number; readonly to: number };
}

const WIDTH = 640;
const HEIGHT = 240;
const PAD = { left: 62, right: 14, top: 14, bottom: 40 };

/** Lines over a common horizontal axis, from zero upwards. */
export function lineChart(text: ChartText, series: readonly Series[]): string {
  const points = series.flatMap((one) => one.points).filter((p) => p.y !== undefined);
  if (points.length === 0) return empty(text);
  const scale = scales(
    text.range?.from ?? Math.min(...points.map((p) => p.x)),
    text.range?.to ?? Math.max(...points.map((p) => p.x)),
    Math.max(...points.map((p) => p.y!)),
  );
  const lines = series.map((one) => {
    const runs: string[] = [];
    let open = false;
    for (const { x, y } of one.points) {
      if (y === undefined) {
        open = false;
        continue;
      }
      runs.push(`${open ? "L" : "M"}${scale.x(x)} ${scale.y(y)}`);
      open = true;
    }
    const marks = one.marks !== true ? "" : one.points
      .filter((p) => p.y !== undefined)
      .map((p) => `<circle class="${one.css}" cx="${scale.x(p.x)}" cy="${scale.y(p.y!)}" r="3.5"/>`)
      .join("");
    return `<path class="${one.css}" d="${runs.join("")}"/>${marks}`;
  });
  return frame(text, scale, lines.join(""), series.length > 1 ? series : []);
}

/** Bars of a histogram. */
export function barChart(
  text: ChartText,
  bars: readonly { readonly from: number; readonly to: number; readonly count: number }[],
): string {
  if (bars.length === 0) return empty(text);
  const scale = scales(bars[0]!.from, bars.at(-1)!.to, Math.max(...bars.map((bar) => bar.count)));
  const rects = bars.filter((bar) => bar.count > 0).map((bar) => {
    const [x, y] = [scale.x(bar.from), scale.y(bar.count)];
    const width = Math.max(1, Number(scale.x(bar.to)) - Number(x) - 1).toFixed(1);
    const height = (HEIGHT - PAD.bottom - Number(y)).toFixed(1);
    return `<rect class="bar" x="${x}" y="${y}" width="${width}" height="${height}">` +
      `<title>${tick(bar.from)} to ${tick(bar.to)}: ${bar.count}</title></rect>`;
  });
  return frame(text, scale, rects.join(""), []);
}

interface Scale {
  readonly x: (value: number) => string;
  readonly y: (value: number) => string;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
}

function scales(low: number, high: number, top: number): Scale {
  const xTicks = ticks(low, high);
  const yTicks = ticks(0, top);
  const [left, right] = [Math.min(low, xTicks[0] ?? low), high];
  const ceiling = Math.max(top, yTicks.at(-1) ?? top, 1e-9);
  const width = WIDTH - PAD.left - PAD.right;
  const height = HEIGHT - PAD.top - PAD.bottom;
  return {
    x: (value) => (PAD.left + width * (value - left) / Math.max(right - left, 1e-9)).toFixed(1),
    y: (value) => (PAD.top + height * (1 - value / ceiling)).toFixed(1),
    xTicks: xTicks.filter((value) => value >= left && value <= right),
    yTicks,
  };
}

// Round steps of 1, 2 or 5 times a power of ten, about five of them.
function ticks(low: number, high: number): number[] {
  const span = high - low;
  if (!(span > 0)) return [low];
  const raw = span / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw)!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

function tick(value: number): string {
  if (Math.abs(value) >= 10_000) return `${Number((value / 1000).toPrecision(3))}k`;
  return String(Number(value.toPrecision(4)));
}

function frame(text: ChartText, scale: Scale, body: string, legend: readonly Series[]): string {
  const bottom = HEIGHT - PAD.bottom;
  const grid = scale.yTicks.map((value) =>
    `<line class="grid" x1="${PAD.left}" x2="${WIDTH - PAD.right}" y1="${scale.y(value)}" y2="${
      scale.y(value)
    }"/><text class="tick" text-anchor="end" x="${PAD.left - 6}" y="${
      Number(scale.y(value)) + 4
    }">${tick(value)}</text>`
  );
  const across = scale.xTicks.map((value) =>
    `<text class="tick" text-anchor="middle" x="${scale.x(value)}" y="${bottom + 16}">${
      tick(value)
    }</text>`
  );
  const middle = PAD.top + (bottom - PAD.top) / 2;
  const svg =
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(text.title)}">` +
    grid.join("") + across.join("") +
    `<text class="axis" text-anchor="middle" x="${(PAD.left + WIDTH - PAD.right) / 2}" y="${
      HEIGHT - 6
    }">${escapeHtml(text.x)}</text>` +
    `<text class="axis" text-anchor="middle" transform="translate(13 ${middle}) rotate(-90)">${
      escapeHtml(text.y)
    }</text>${body}</svg>`;
  return figure(text, svg, legend);
}

function empty(text: ChartText): string {
  return figure(text, `<p class="none">Nothing was measured.</p>`, []);
}

function figure(text: ChartText, body: string, legend: readonly Series[]): string {
  const keys = legend.map(({ name, css }) =>
    `<span><i class="key ${css}"></i>${escapeHtml(name)}</span>`
  );
  return `<figure><figcaption>${escapeHtml(text.title)}${
    keys.length === 0 ? "" : `<span class="legend">${keys.join("")}</span>`
  }</figcaption>${body}</figure>`;
}

/** Text for HTML, attributes included. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
