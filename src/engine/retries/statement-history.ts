import { arrayValue, buildDocument, objectValue } from "../bson/builder.ts";
import { isTruthy } from "../bson/numbers.ts";
import { boolValue, documentValue, int32Value, numberOf, timestampValue, type Value } from "../bson/value.ts";
import { elementsOf, getField } from "../bson/walk.ts";
import type { ClusterTime, FindAndModifyResult } from "../engine.ts";
import { EngineError } from "../engine-error.ts";
import { timeOfValue } from "../oplog/time.ts";

/** Bytes that are remembered of the statements under one number. */
export const historyMaxBytes = 64 * 1024 * 1024;

/** What a statement did that has written: it inserted, changed or deleted one document. */
export interface Done {
  /** `{_id}` of a document that an update inserted. */
  readonly upserted?: Uint8Array;
  /** What a `findAndModify` answered. */
  readonly result?: FindAndModifyResult;
}

const plain: Done = {};

/**
 * The statements under one number of a session that have written, by their ids, so that a retry does none twice (driver specifications, "Retryable Writes"). A statement
 * that failed or found nothing to do is none of them: it is done again, as on MongoDB.
 */
export class StatementHistory {
  /** First and last of each stretch of ids, in order. */
  readonly #runs: [number, number][];
  readonly #details: Map<number, Done>;
  /** Time of the last entry of the operation log under the number. */
  lastEntry: ClusterTime | undefined;

  constructor(kept: Uint8Array | undefined) {
    const [runs, details, last] = ["runs", "details", "last"].map((name) =>
      kept === undefined ? undefined : getField(kept, name),
    );
    const ends = runs === undefined ? [] : elementsOf(runs).map(numberOf);
    this.#runs = Array.from({ length: ends.length / 2 }, (_, at) => [
      ends[at * 2] as number,
      ends[at * 2 + 1] as number,
    ]);
    this.#details = new Map((details === undefined ? [] : elementsOf(details)).map(readDetail));
    this.lastEntry = last === undefined ? undefined : timeOfValue(last);
  }

  /** What a statement did before; undefined for one that is yet to be done. */
  find(id: number): Done | undefined {
    const run = this.#runs[this.#placeOf(id) - 1];
    return run !== undefined && id <= run[1] ? (this.#details.get(id) ?? plain) : undefined;
  }

  note(id: number, done: Done): void {
    const place = this.#placeOf(id);
    const run = this.#runs[place - 1];
    if (run !== undefined && run[1] === id - 1) run[1] = id;
    else this.#runs.splice(place, 0, [id, id]);
    if (done.upserted !== undefined || done.result !== undefined) this.#details.set(id, done);
  }

  /** How many stretches begin with the id or before it. */
  #placeOf(id: number): number {
    let [low, high] = [0, this.#runs.length];
    // Most come in order.
    if (high > 0 && (this.#runs[high - 1] as [number, number])[0] <= id) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#runs[middle] as [number, number])[0] <= id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Throws 257 TransactionTooLarge for more than is remembered. */
  finish(): Uint8Array {
    const { lastEntry } = this;
    const kept = buildDocument([
      ["runs", arrayValue(this.#runs.flat().map(int32Value))],
      ["details", arrayValue(Array.from(this.#details, detailValue))],
      ...(lastEntry === undefined ? [] : ([["last", timestampValue(lastEntry.seconds, lastEntry.increment)]] as const)),
    ]);
    if (kept.length > historyMaxBytes)
      throw new EngineError(
        257,
        "TransactionTooLarge",
        `What must be remembered of the statements under one txnNumber is more than ${historyMaxBytes} bytes`,
      );
    return kept;
  }
}

function detailValue([id, { upserted, result }]: readonly [number, Done]): Value {
  return objectValue([
    ["id", int32Value(id)],
    ...documentField("upserted", upserted),
    ...(result === undefined ? [] : ([["result", resultValue(result)]] as const)),
  ]);
}

function resultValue({ value, updatedExisting, upserted }: FindAndModifyResult): Value {
  return objectValue([
    ["updatedExisting", boolValue(updatedExisting)],
    ...documentField("value", value),
    ...documentField("upserted", upserted),
  ]);
}

function documentField(name: string, document: Uint8Array | undefined): readonly (readonly [string, Value])[] {
  return document === undefined ? [] : [[name, documentValue(document)]];
}

function readDetail(detail: Value): [number, Done] {
  const document = detail.bytes();
  const result = getField(document, "result")?.bytes();
  const done = {
    ...readDocument("upserted", document),
    ...(result === undefined ? {} : { result: readResult(result) }),
  };
  return [numberOf(getField(document, "id") as Value), done];
}

function readResult(document: Uint8Array): FindAndModifyResult {
  return {
    value: undefined,
    ...readDocument("value", document),
    ...readDocument("upserted", document),
    updatedExisting: isTruthy(getField(document, "updatedExisting")),
  };
}

/** A field that is a document, or nothing. */
function readDocument<Name extends string>(name: Name, document: Uint8Array): { readonly [name in Name]?: Uint8Array } {
  const field = getField(document, name);
  return field === undefined ? {} : ({ [name]: field.bytes() } as { readonly [name in Name]: Uint8Array });
}
