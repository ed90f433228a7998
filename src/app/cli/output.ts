/** What a command prints: one JSON document with `--json`, lines for people otherwise; progress on a terminal alone. */
export interface Output {
  /** The result; `lines` is not called with `--json`. */
  result(json: unknown, lines: () => readonly string[]): void;
  /** A line that is written over by the next, on standard error when that is a terminal. */
  progress(text: string): void;
  end(): void;
}

/** Progress is shown so often at most. */
const progressEvery = 8;

export function createOutput(asJson: boolean): Output {
  let shown = false;
  let count = 0;
  const clear = (): void => {
    if (shown) process.stderr.write("\r\u001b[K");
    shown = false;
  };
  return {
    result(json, lines) {
      clear();
      const text = asJson ? JSON.stringify(json, undefined, 2) : lines().join("\n");
      process.stdout.write(`${text}\n`);
    },
    progress(text) {
      count += 1;
      if (!process.stderr.isTTY || count % progressEvery !== 1) return;
      process.stderr.write(`\r\u001b[K${text}`);
      shown = true;
    },
    end: clear,
  };
}

/** Bytes as people read them, in powers of 1024. */
export function sizeText(sizeBytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

export function timeText(atMs: number | undefined): string {
  return atMs === undefined ? "-" : new Date(atMs).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Columns set to the width of their widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((text, column) => Math.max(text.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [head, ...rows].map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
