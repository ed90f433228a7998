/** Longest reason that is kept. */
const lengthMax = 500;

/** What went wrong in one line for people; credentials in connection strings are taken out, wherever a message may have them from. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const line = message
    .replaceAll(/(mongodb(?:\+srv)?:\/\/)\S*@/g, "$1***@")
    .replaceAll(/\s+/g, " ")
    .trim();
  return line === "" ? "It failed without saying why." : line.slice(0, lengthMax);
}
