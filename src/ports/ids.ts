/** Identifiers and secrets. One implementation draws from the system's random source; tests may hold a seeded one. */
export interface Ids {
  /** 24 lower-case hex digits: 4 bytes seconds, 5 random bytes, 3 bytes counter, as BSON ObjectIds are made. */
  objectId(): string;
  /** RFC 9562 version 4, lower case with dashes. */
  uuid(): string;
  randomBytes(length: number): Uint8Array;
}
