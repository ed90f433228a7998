/** What went wrong, in terms no transport owns. The doors (`http`, `wire`) translate; nothing below them knows a status number. */
export type ErrorKind =
  | "invalid"
  | "unauthenticated"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "not_acceptable"
  | "conflict"
  | "gone"
  | "too_large"
  | "too_many_requests"
  | "not_implemented"
  | "unavailable";

export interface AppErrorOptions {
  /** What was put into the message, in order; shown to the caller as `parameters`. */
  readonly parameters?: readonly (string | number)[];
  /** For logs only, never shown. */
  readonly cause?: unknown;
}

/**
 * An error whose message may be shown to the caller. `code` is the Atlas `errorCode`. Areas export constructors
 * (`snapshotNotFound(id, name)`); nobody else writes `new AppError`.
 */
export class AppError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly parameters: readonly (string | number)[];

  constructor(kind: ErrorKind, code: string, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AppError";
    this.kind = kind;
    this.code = code;
    this.parameters = options.parameters ?? [];
  }
}
