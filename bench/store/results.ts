import type { MeasuredProcess } from "./measured-process.ts";

const mebibyte = 1_048_576;

/** What was measured of one tool, round for round. */
export class Results {
  readonly #name: string;
  readonly #figures = new Map<string, number[]>();
  #peakBytes = 0;

  constructor(name: string) {
    this.#name = name;
  }

  get name(): string {
    return this.#name;
  }

  add(column: Column, figure: number): void {
    this.#figures.set(column, [...(this.#figures.get(column) ?? []), figure]);
  }

  addPeak({ peakBytes }: MeasuredProcess): void {
    this.#peakBytes = Math.max(this.#peakBytes, peakBytes);
  }

  /** The median of all rounds; undefined when the tool does not do this. */
  median(column: Column): number | undefined {
    const sorted = (this.#figures.get(column) ?? []).toSorted((one, other) => one - other);
    return sorted[sorted.length >> 1];
  }

  get peakMib(): number {
    return this.#peakBytes / mebibyte;
  }
}

export const columns = [
  "first MiB/s",
  "0.1 % updated s",
  "first / 0.1 % updated",
  "1 % updated s",
  "1 % appended s",
  "stored for 0.1 % MiB",
  "stored for 1 % MiB",
  "stored for 1 % appended MiB",
  "verify MiB/s",
  "restore MiB/s",
] as const;

export type Column = (typeof columns)[number];

/** The table in Markdown, medians of all rounds. */
export function tableOf(all: readonly Results[]): string {
  const heads = ["", ...columns, "memory MiB"];
  const rows = all.map((results) => [
    results.name,
    ...columns.map((column) => textOf(results.median(column))),
    results.peakMib.toFixed(0),
  ]);
  return [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** How many times as quick one was as the other, round for round, and the median. */
export function ratioText(one: Results, other: Results): string {
  const first = ratio(one.median("first MiB/s"), other.median("first MiB/s"));
  const second = ratio(other.median("0.1 % updated s"), one.median("0.1 % updated s"));
  return `${one.name} against ${other.name}: first ${first} times as quick, 0.1 % updated ${second} times`;
}

function ratio(one: number | undefined, other: number | undefined): string {
  return one === undefined || other === undefined ? "-" : (one / other).toFixed(2);
}

function textOf(figure: number | undefined): string {
  if (figure === undefined) return "-";
  return figure < 10 ? figure.toFixed(2) : figure < 100 ? figure.toFixed(1) : figure.toFixed(0);
}
