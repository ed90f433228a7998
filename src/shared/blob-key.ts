/** Answers the key when it is one every blob store takes (see the port); throws what `fail` makes otherwise. */
export function requireKey(key: string, fail: (message: string) => Error): string {
  const segments = key.split("/");
  const good =
    key.length <= 512 &&
    segments.every((segment) => /^[a-z0-9._-]+$/.test(segment) && segment !== "." && segment !== "..");
  if (!good) throw fail(`not a key of an object: ${JSON.stringify(key.slice(0, 100))}`);
  return key;
}
