/** Exit codes that scripts can rely on: `usage` a wrong command line, `damaged` stored bytes that are not what was written, `inUse` a data folder another process has. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, damaged: 3, inUse: 4 } as const;

/** The metadata is held by another process. */
export class InUse extends Error {}
