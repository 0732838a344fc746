/** The growth measure as plots: one SVG for each of its four questions. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { growthSizes } from "../measures/growth.ts";
import { median } from "../parts/statistics.ts";
import type { Results } from "./report.ts";

const titles: Record<keyof typeof growthSizes, { x: string; y: string }> = {
  runs: { x: "runs at 20 tokens/s each", y: "server CPU, µs a token" },
  readers: { x: "readers of one run, saturated", y: "server CPU, µs a token made" },
  length: { x: "tokens of an answer, saturated", y: "server CPU, µs a token" },
  payload: { x: "characters of the message", y: "server CPU, µs a run" },
};

const width = 480;
const height = 280;
const margin = { left: 64, right: 20, top: 20, bottom: 48 };

export function plotGrowth(results: Results, folder: string): void {
  const samples = results.measures.growth?.samples.langwire;
  if (samples === undefined || samples.length === 0) return;
  mkdirSync(folder, { recursive: true });
  for (const name of Object.keys(titles) as (keyof typeof titles)[]) {
    const points = growthSizes[name].map((size) => {
      const values = samples.map((sample) => sample[`${name}${size}`] ?? Number.NaN);
      return { size, value: median(values), low: Math.min(...values), high: Math.max(...values) };
    });
    writeFileSync(join(folder, `cost-by-${name}.svg`), plot(points, titles[name]));
  }
}

interface Point {
  readonly size: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

function plot(points: readonly Point[], { x, y }: { x: string; y: string }): string {
  const most = Math.max(...points.map(({ high }) => high)) * 1.15;
  const [least, largest] = [points[0]?.size ?? 1, points.at(-1)?.size ?? 1];
  const across = (size: number): number =>
    margin.left +
    24 +
    ((width - margin.left - margin.right - 48) * Math.log(size / least)) /
      Math.log(largest / least);
  const up = (value: number): number =>
    height - margin.bottom - ((height - margin.top - margin.bottom) * value) / most;
  const bottom = height - margin.bottom;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => share * most);
  const line = points.map(({ size, value }) => `${at(across(size))},${at(up(value))}`).join(" ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img" aria-label="${y} by ${x}">
<rect width="${width}" height="${height}" fill="#fff"/>
${ticks
  .map(
    (tick) =>
      `<path d="M${margin.left} ${at(up(tick))}H${width - margin.right}" stroke="#ddd"/><text x="${margin.left - 8}" y="${at(up(tick) + 4)}" text-anchor="end" fill="#444">${short(tick)}</text>`,
  )
  .join("\n")}
<polyline points="${line}" fill="none" stroke="#0b7285" stroke-width="2"/>
${points
  .map(
    ({ size, value, low, high }) =>
      `<path d="M${at(across(size))} ${at(up(low))}V${at(up(high))}" stroke="#0b7285"/><circle cx="${at(across(size))}" cy="${at(up(value))}" r="4" fill="#0b7285"/><text x="${at(across(size))}" y="${at(up(high) - 8)}" text-anchor="middle">${short(value)}</text><text x="${at(across(size))}" y="${bottom + 18}" text-anchor="middle" fill="#444">${size.toLocaleString("en")}</text>`,
  )
  .join("\n")}
<text x="${(width + margin.left) / 2}" y="${height - 8}" text-anchor="middle">${x}</text>
<text transform="translate(14 ${(height - margin.bottom) / 2}) rotate(-90)" text-anchor="middle">${y}</text>
</svg>
`;
}

const at = (value: number): string => value.toFixed(1);
const short = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
