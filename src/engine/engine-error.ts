/** Errors of the engine with MongoDB's numbers and names (error codes of the manual), so that drivers act on them as they would on MongoDB's. */
export class EngineError extends Error {
  readonly code: number;
  readonly codeName: string;
  /** Added to the reply's labels, `TransientTransactionError` for instance. */
  readonly labels: readonly string[];

  constructor(code: number, codeName: string, message: string, labels: readonly string[] = []) {
    super(message);
    this.name = "EngineError";
    this.code = code;
    this.codeName = codeName;
    this.labels = labels;
  }
}

/** 8 UnknownError: what is in a data file cannot be read. Whoever runs the server has to hear of it, and not its clients alone. */
export class DamagedFile extends EngineError {
  constructor(message: string) {
    super(8, "UnknownError", message);
  }
}

export function badValue(message: string): EngineError {
  return new EngineError(2, "BadValue", message);
}

export function failedToParse(message: string): EngineError {
  return new EngineError(9, "FailedToParse", message);
}

export function typeMismatch(message: string): EngineError {
  return new EngineError(14, "TypeMismatch", message);
}

/** Something MongoDB does and this engine does not: refused, never answered wrongly. */
export function notSupported(what: string): EngineError {
  return new EngineError(238, "NotImplemented", `${what} is not supported by this server`);
}

/** Codes that have a name of their own, of those that are given by number where others stand beside them. */
const namedCodes: Readonly<Record<number, string>> = { 2: "BadValue", 9: "FailedToParse", 14: "TypeMismatch" };

/** Errors the manual knows by a location number alone. */
export function located(code: number, message: string): EngineError {
  return new EngineError(code, namedCodes[code] ?? `Location${code}`, message);
}

const interruptions: ReadonlySet<number> = new Set([50, 112, 251, 257, 262, 279, 11_600, 11_601, 11_602]);

/** Whether the error ends whatever is being done (time over, killed, client gone, shutdown), and is no answer to a part of it. */
export function isInterruption(error: EngineError): boolean {
  return interruptions.has(error.code);
}
