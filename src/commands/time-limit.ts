import { EngineError, getField, isNumberType, toNumber } from "../engine/index.ts";

/** `maxTimeMS` of one command. */
export class TimeLimit {
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Aborts with 50 MaxTimeMSExpired when `body` limits the time. Throws 2 BadValue for what is no time. */
  start(body: Uint8Array, controller: AbortController): void {
    const value = getField(body, "maxTimeMS");
    if (value === undefined) return;
    const limitMs = isNumberType(value.type) ? toNumber(value) : Number.NaN;
    if (!Number.isInteger(limitMs) || limitMs < 0 || limitMs > 2_147_483_647)
      throw new EngineError(2, "BadValue", "maxTimeMS must be a whole number between 0 and 2147483647");
    if (limitMs === 0) return;
    this.#timer = setTimeout(
      () => controller.abort(new EngineError(50, "MaxTimeMSExpired", "operation exceeded time limit")),
      limitMs,
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
