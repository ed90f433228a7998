/** Names of the error codes that drivers act on (manual, "Error Codes"; retryable reads and writes of the driver specifications). */
const names: ReadonlyMap<number, string> = new Map([
  [1, "InternalError"],
  [2, "BadValue"],
  [6, "HostUnreachable"],
  [7, "HostNotFound"],
  [8, "UnknownError"],
  [9, "FailedToParse"],
  [11, "UserNotFound"],
  [13, "Unauthorized"],
  [14, "TypeMismatch"],
  [18, "AuthenticationFailed"],
  [20, "IllegalOperation"],
  [24, "LockTimeout"],
  [26, "NamespaceNotFound"],
  [27, "IndexNotFound"],
  [43, "CursorNotFound"],
  [50, "MaxTimeMSExpired"],
  [59, "CommandNotFound"],
  [64, "WriteConcernTimeout"],
  [72, "InvalidOptions"],
  [79, "UnknownReplWriteConcern"],
  [89, "NetworkTimeout"],
  [91, "ShutdownInProgress"],
  [100, "UnsatisfiableWriteConcern"],
  [112, "WriteConflict"],
  [125, "CommandFailed"],
  [133, "FailedToSatisfyReadPreference"],
  [134, "ReadConcernMajorityNotAvailableYet"],
  [189, "PrimarySteppedDown"],
  [225, "TransactionTooOld"],
  [237, "CursorKilled"],
  [246, "SnapshotUnavailable"],
  [251, "NoSuchTransaction"],
  [256, "TransactionCommitted"],
  [262, "ExceededTimeLimit"],
  [263, "OperationNotSupportedInTransaction"],
  [279, "ClientDisconnect"],
  [290, "TransactionExceededLifetimeLimitSeconds"],
  [314, "ObjectIsBusy"],
  [323, "APIStrictError"],
  [391, "ReauthenticationRequired"],
  [462, "IngressRequestRateLimitExceeded"],
  [9001, "SocketException"],
  [10_058, "LegacyNotPrimary"],
  [10_107, "NotWritablePrimary"],
  [11_000, "DuplicateKey"],
  [11_600, "InterruptedAtShutdown"],
  [11_601, "Interrupted"],
  [11_602, "InterruptedDueToReplStateChange"],
  [13_435, "NotPrimaryNoSecondaryOk"],
  [13_436, "NotPrimaryOrSecondary"],
]);

/** The name of a code; `Location` and the number for others, as from MongoDB for errors that have no name. */
export function errorCodeName(code: number): string {
  return names.get(code) ?? `Location${code}`;
}

/** Codes that say the same write may succeed when it is sent again (driver specifications, "Retryable Writes"). */
const retryable: ReadonlySet<number> = new Set([
  6, 7, 89, 91, 134, 189, 262, 9001, 10_107, 11_600, 11_602, 13_435, 13_436,
]);

/** Whether a write with a `txnNumber` that ends with this code is labelled RetryableWriteError. */
export function isRetryable(code: number): boolean {
  return retryable.has(code);
}
