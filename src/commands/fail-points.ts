import {
  bsonType,
  elementsOf,
  EngineError,
  getField,
  isNumberType,
  textOf,
  toNumber,
  type Value,
} from "../engine/index.ts";
import type { Clock } from "../ports/clock.ts";
import { errorCodeName } from "./error-code-names.ts";
import { Parameters } from "./parameters.ts";

/** What is done to the commands that a fail point takes. */
export interface Failure {
  /** Waited before anything else; 0 for none. */
  readonly blockMs: number;
  /** Instead of running it, or once it has run. */
  readonly closeConnection: "before" | "after" | undefined;
  readonly errorCode: number | undefined;
  readonly errorMessage: string;
  /** In place of the labels that the server would give. */
  readonly errorLabels: readonly string[] | undefined;
  /** The command runs, and its reply tells of this. */
  readonly writeConcernError: Uint8Array | undefined;
  /** It strikes within a cursor, so that the error is labelled as one of that cursor's own. */
  readonly withinCursor: boolean;
}

/** A command that is about to run. */
export interface FailCandidate {
  readonly command: string;
  /** `database.collection`. */
  readonly namespace: string | undefined;
  readonly applicationName: string | undefined;
  /** The same for a write and its retries; undefined for what is no retryable write. */
  readonly retryKey: string | undefined;
}

interface FailPoint extends Failure {
  /** Undefined: every one. */
  readonly commands: ReadonlySet<string> | undefined;
  readonly applicationName: string | undefined;
  readonly namespace: string | undefined;
  /** Commands that are let through first. */
  skip: number;
  /** Commands that fail after those. */
  times: number;
  taken: number;
  /** The write that was hidden last: its retry writes nothing and is answered. */
  hiddenKey: string | undefined;
}

const names = ["failCommand", "failGetMoreAfterCursorCheckout", "onPrimaryTransactionalWrite"] as const;
type Name = (typeof names)[number];

/**
 * Faults that clients order by `configureFailPoint`, for tests of clients: `failCommand`, `onPrimaryTransactionalWrite` for writes with a `txnNumber`, and
 * `failGetMoreAfterCursorCheckout`.
 */
export class FailPoints {
  readonly #points = new Map<Name, FailPoint>();

  /** Sets a fail point or takes it away; answers how many commands it took so far. Throws 2, 9, 14, 40415. */
  configure(wanted: string, mode: Value | undefined, data: Uint8Array | undefined): number {
    const name = names.find((known) => known === wanted);
    if (name === undefined) throw new EngineError(2, "BadValue", `${wanted} not found; there are ${names.join(", ")}`);
    const taken = this.#points.get(name)?.taken ?? 0;
    const { skip, times } = modeOf(mode);
    if (times === 0) {
      this.#points.delete(name);
      return taken;
    }
    const fields = Parameters.within("data", data ?? Uint8Array.of(5, 0, 0, 0, 0));
    const point = kinds[name](fields);
    this.#points.set(name, { ...point, skip, times, taken: 0, hiddenKey: undefined });
    return taken;
  }

  /** What is to be done to the command; counts it when it is taken. */
  take(candidate: FailCandidate): Failure | undefined {
    if (candidate.command === "configureFailPoint") return undefined;
    return (
      this.#taken("failCommand", candidate) ??
      (candidate.command === "getMore" ? this.#taken("failGetMoreAfterCursorCheckout", candidate) : undefined) ??
      (candidate.retryKey !== undefined ? this.#taken("onPrimaryTransactionalWrite", candidate) : undefined)
    );
  }

  #taken(name: Name, { command, namespace, applicationName, retryKey }: FailCandidate): Failure | undefined {
    const point = this.#points.get(name);
    if (point === undefined || point.times === 0 || point.commands?.has(command) === false) return undefined;
    if (point.namespace !== undefined && point.namespace !== namespace) return undefined;
    if (point.applicationName !== undefined && point.applicationName !== applicationName) return undefined;
    if (retryKey !== undefined && point.hiddenKey === retryKey) return undefined;
    if (point.skip > 0) {
      point.skip -= 1;
      return undefined;
    }
    point.times -= 1;
    point.taken += 1;
    if (point.closeConnection === "after") point.hiddenKey = retryKey;
    return point;
  }
}

/** Waits as long as the failure wants, and throws its error, when it has one. Throws what `signal` was aborted with. */
export async function suffer(failure: Failure, clock: Clock, signal: AbortSignal): Promise<void> {
  if (failure.blockMs > 0) await clock.sleep(failure.blockMs, signal);
  if (failure.errorCode !== undefined && failure.closeConnection === undefined)
    throw new EngineError(failure.errorCode, errorCodeName(failure.errorCode), failure.errorMessage);
}

/** `off`, `alwaysOn`, `{times}` or `{skip}`. */
function modeOf(mode: Value | undefined): { readonly skip: number; readonly times: number } {
  if (mode?.type === bsonType.string) {
    const text = textOf(mode);
    if (text === "off") return { skip: 0, times: 0 };
    if (text === "alwaysOn") return { skip: 0, times: Number.POSITIVE_INFINITY };
    throw new EngineError(2, "BadValue", `unknown mode: ${text}`);
  }
  if (mode?.type !== bsonType.object)
    throw new EngineError(14, "TypeMismatch", "'mode' must be a string or JSON object");
  const times = countOf(getField(mode.bytes(), "times"), "times");
  const skip = countOf(getField(mode.bytes(), "skip"), "skip");
  if (times !== undefined && skip === undefined) return { skip: 0, times };
  if (skip !== undefined && times === undefined) return { skip, times: Number.POSITIVE_INFINITY };
  throw new EngineError(2, "BadValue", "'mode' must be one of 'off', 'alwaysOn', 'times', and 'skip'");
}

function countOf(value: Value | undefined, name: string): number | undefined {
  if (value === undefined) return undefined;
  const count = isNumberType(value.type) ? toNumber(value) : Number.NaN;
  if (!Number.isInteger(count) || count < 0 || count > 2_147_483_647)
    throw new EngineError(2, "BadValue", `'${name}' option to 'mode' must be a whole number that is not negative`);
  return count;
}

type WithoutCounts = Omit<FailPoint, "skip" | "times" | "taken" | "hiddenKey">;

function failCommandOf(fields: Parameters): WithoutCounts {
  const blocks = fields.flag("blockConnection");
  const blockMs = fields.whole("blockTimeMS", 0);
  if (blocks && blockMs === undefined)
    throw new EngineError(2, "BadValue", "'blockTimeMS' must be specified with 'blockConnection'");
  const commands = textsOf(fields, "failCommands");
  if (commands === undefined || commands.length === 0)
    throw new EngineError(2, "BadValue", "'failCommands' must name the commands to fail");
  const point = {
    commands: new Set(commands),
    applicationName: fields.text("appName"),
    namespace: fields.text("namespace"),
    blockMs: blocks ? (blockMs ?? 0) : 0,
    closeConnection: fields.flag("closeConnection") ? ("before" as const) : undefined,
    errorCode: fields.whole("errorCode", 0),
    errorMessage: fields.text("errorMsg") ?? "Failing command via 'failCommand' failpoint",
    errorLabels: textsOf(fields, "errorLabels"),
    writeConcernError: fields.document("writeConcernError"),
    withinCursor: false,
  };
  // Every client counts as one from outside: there are no others.
  fields.ignore("failInternalCommands", "failLocalClients");
  fields.rejectUnknown();
  return point;
}

/** A fail point that takes every command it is asked for, and does nothing besides failing it. */
const plain = {
  commands: undefined,
  applicationName: undefined,
  namespace: undefined,
  blockMs: 0,
  errorLabels: undefined,
  writeConcernError: undefined,
  withinCursor: false,
} as const;

/** Fails before the write is done, with a code, or hides that it was done; by the connection's end unless said otherwise. */
function failWriteOf(fields: Parameters): WithoutCounts {
  const errorCode = fields.whole("failBeforeCommitExceptionCode", 0);
  const closes = fields.get("closeConnection") === undefined || fields.flag("closeConnection");
  fields.rejectUnknown();
  return {
    ...plain,
    closeConnection: !closes ? undefined : errorCode === undefined ? "after" : "before",
    errorCode,
    errorMessage: "Failing write via 'onPrimaryTransactionalWrite' failpoint",
  };
}

/** Fails a `getMore` with a code, or ends its connection. */
function failGetMoreOf(fields: Parameters): WithoutCounts {
  const errorCode = fields.whole("errorCode", 0);
  const closes = fields.flag("closeConnection");
  fields.rejectUnknown();
  return {
    ...plain,
    closeConnection: closes ? "before" : undefined,
    errorCode,
    errorMessage: "Hit the 'failGetMoreAfterCursorCheckout' failpoint",
    withinCursor: true,
  };
}

const kinds: Readonly<Record<Name, (fields: Parameters) => WithoutCounts>> = {
  failCommand: failCommandOf,
  failGetMoreAfterCursorCheckout: failGetMoreOf,
  onPrimaryTransactionalWrite: failWriteOf,
};

function textsOf(fields: Parameters, name: string): readonly string[] | undefined {
  const value = fields.get(name);
  if (value === undefined) return undefined;
  const elements = value.type === bsonType.array ? elementsOf(value) : [];
  if (value.type !== bsonType.array || elements.some(({ type }) => type !== bsonType.string))
    throw new EngineError(14, "TypeMismatch", `'${name}' must be an array of strings`);
  return elements.map(textOf);
}

/** `client.application.name` of a handshake. */
export function applicationNameOf(hello: Uint8Array): string | undefined {
  const client = getField(hello, "client");
  const application = client?.type === bsonType.object ? getField(client.bytes(), "application") : undefined;
  const name = application?.type === bsonType.object ? getField(application.bytes(), "name") : undefined;
  return name?.type === bsonType.string ? textOf(name) : undefined;
}
