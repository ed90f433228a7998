import type { Parameters } from "./parameters.ts";

/** `min` and `max`, keys of the hinted index; empty ones are none. */
export function indexLimitsOf(parameters: Parameters): {
  readonly min: Uint8Array | undefined;
  readonly max: Uint8Array | undefined;
} {
  const [min, max] = ["min", "max"].map((name) => {
    const limit = parameters.document(name);
    return limit === undefined || limit.length === 5 ? undefined : limit;
  });
  return { min, max };
}
