/** What one listener grants its clients. */
export interface WireLimits {
  readonly connectionsMax: number;
  /** Time a client that is not logged in has for each message, the first one included. */
  readonly handshakeTimeoutMs: number;
  /** Time a client that is not logged in may say nothing. Drivers watch over such a connection, by a `hello` every 10 s or seldom. */
  readonly unauthenticatedIdleMs: number;
  /** Longest message of a client that is not logged in; a handshake takes a few hundred bytes. */
  readonly unauthenticatedMessageMaxBytes: number;
  /** Time without any progress of a message that is being received or sent. */
  readonly stallTimeoutMs: number;
  /** Requests that may wait behind the one being answered, and their bytes; past either the socket is not read. */
  readonly waitingMax: number;
  readonly waitingMaxBytes: number;
}

export const defaultWireLimits: WireLimits = {
  connectionsMax: 1000,
  handshakeTimeoutMs: 20_000,
  unauthenticatedIdleMs: 300_000,
  unauthenticatedMessageMaxBytes: 1_048_576,
  stallTimeoutMs: 60_000,
  waitingMax: 16,
  waitingMaxBytes: 16_777_216,
};
