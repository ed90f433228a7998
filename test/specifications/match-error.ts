import { type MongoBulkWriteError, MongoClientBulkWriteError, MongoError, MongoServerError } from "mongodb";
import { withoutResultHabits } from "./driver-habits.ts";
import { match, type NamedValues } from "./match.ts";
import type { ExpectedError } from "./test-file.ts";

/** Throws what of an error is not as expected; itself when it is none of the driver's. */
export function matchError(expected: ExpectedError, error: unknown, named: NamedValues): void {
  if (!(error instanceof Error)) throw new Error(`what was thrown is no error: ${String(error)}`);
  const server = serverErrorOf(error);
  const told = `${error.name}: ${error.message}`;
  const hold = (condition: boolean, what: string): void => {
    if (!condition) throw new Error(`the error is not as expected (${what}): ${told}`, { cause: error });
  };
  if (expected.isClientError !== undefined) hold(expected.isClientError === (server === undefined), "isClientError");
  if (expected.errorContains !== undefined)
    hold(error.message.toLowerCase().includes(expected.errorContains.toLowerCase()), expected.errorContains);
  if (expected.errorCode !== undefined) hold(Number(server?.code) === expected.errorCode, `code ${server?.code}`);
  if (expected.errorCodeName !== undefined)
    hold(codeNameOf(server) === expected.errorCodeName, `codeName ${codeNameOf(server)}`);
  for (const label of expected.errorLabelsContain ?? []) hold(hasLabel(server ?? error, label), `label ${label}`);
  for (const label of expected.errorLabelsOmit ?? []) hold(!hasLabel(server ?? error, label), `no label ${label}`);
  if (expected.errorResponse !== undefined)
    match(expected.errorResponse, server?.errorResponse, named, true, ".errorResponse");
  const bulk = error as Partial<MongoBulkWriteError & MongoClientBulkWriteError>;
  if (expected.writeErrors !== undefined) matchEach(expected.writeErrors, bulk.writeErrors, named);
  if (expected.writeConcernErrors !== undefined)
    match(expected.writeConcernErrors, bulk.writeConcernErrors, named, true, ".writeConcernErrors");
  if (expected.expectResult !== undefined)
    match(expected.expectResult, withoutResultHabits(bulk.result ?? bulk.partialResult), named, true, ".result");
}

function matchEach(expected: object, actual: unknown, named: NamedValues): void {
  const found = actual instanceof Map ? actual : new Map(Object.entries((actual ?? {}) as object));
  for (const [index, one] of Object.entries(expected))
    match(one, found.get(index) ?? found.get(Number(index)), named, true, `.writeErrors.${index}`);
}

/** The server's own error, also where the driver gives it as the cause of a bulk write's. */
function serverErrorOf(error: Error): MongoServerError | undefined {
  if (error instanceof MongoClientBulkWriteError && error.cause instanceof MongoServerError) return error.cause;
  return error instanceof MongoServerError ? error : undefined;
}

function codeNameOf(error: MongoServerError | undefined): string | undefined {
  return error?.codeName ?? (error?.errorResponse?.["codeName"] as string | undefined);
}

function hasLabel(error: Error, label: string): boolean {
  return error instanceof MongoError && error.hasErrorLabel(label);
}
