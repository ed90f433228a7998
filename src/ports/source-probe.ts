import type { ProbedAbilities } from "./metadata/external-source-records.ts";

/** Tries what a deployment elsewhere can do; nothing is assumed from its version. */
export interface SourceProbe {
  /** `connectionString` holds a password: it is never logged. Throws `SourceUnusable`; stops with the signal's reason when it aborts. */
  probe(connectionString: string, signal: AbortSignal): Promise<ProbedAbilities>;
}

/**
 * A deployment elsewhere that cannot be used as things are. The message is a whole sentence for people which says no more than its owner knows: neither credentials nor
 * how exactly a connection failed, so that nobody can look around in a network by it.
 */
export class SourceUnusable extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "SourceUnusable";
  }
}
