import { createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";

/** How long a nonce is good. */
export const nonceLifetimeMs = 300_000;
/** Nonces whose counters are remembered at once; past it all are forgotten and every older nonce is stale. */
const rememberedNoncesMax = 100_000;
/** Counters below the highest seen that may still come (requests of one client overtaking each other). */
const counterWindow = 64;

interface NonceUse {
  highest: number;
  /** Bit n: counter `highest - n` was used. */
  seen: bigint;
  readonly issuedMs: number;
}

export type NonceVerdict = "good" | "stale" | "unknown";

/** Nonces of HTTP digest (RFC 7616): they carry their own time and proof, so only used ones need memory. */
export interface DigestNonces {
  /** 24 bytes in base64, 32 characters. */
  issue(): string;
  /** Whether it was issued here and is young enough. */
  check(nonce: string): NonceVerdict;
  /** Marks a counter of a good nonce as used. False when it was used before or is too far behind. */
  use(nonce: string, counter: number): boolean;
}

export function createDigestNonces(clock: Clock, ids: Ids): DigestNonces {
  const key = createSecretKey(ids.randomBytes(32));
  let uses = new Map<string, NonceUse>();
  let forgottenBeforeMs = Number.NEGATIVE_INFINITY;
  const proof = (head: Uint8Array): Buffer => createHmac("sha256", key).update(head).digest().subarray(0, 10);

  return {
    issue() {
      const head = Buffer.alloc(14);
      head.writeUIntBE(Math.floor(clock.monotonicMs()), 0, 6);
      head.set(ids.randomBytes(8), 6);
      return Buffer.concat([head, proof(head)]).toString("base64");
    },
    check(nonce) {
      if (nonce.length !== 32) return "unknown";
      const bytes = Buffer.from(nonce, "base64");
      if (bytes.length !== 24 || !timingSafeEqual(proof(bytes.subarray(0, 14)), bytes.subarray(14))) return "unknown";
      const issuedMs = bytes.readUIntBE(0, 6);
      return clock.monotonicMs() - issuedMs >= nonceLifetimeMs || issuedMs < forgottenBeforeMs ? "stale" : "good";
    },
    use(nonce, counter) {
      const known = uses.get(nonce);
      if (known === undefined) {
        if (uses.size >= rememberedNoncesMax) makeRoom();
        uses.set(nonce, { highest: counter, seen: 1n, issuedMs: Buffer.from(nonce, "base64").readUIntBE(0, 6) });
        return true;
      }
      if (counter > known.highest) {
        const distance = counter - known.highest;
        known.seen = distance >= counterWindow ? 1n : ((known.seen << BigInt(distance)) | 1n) & 0xffff_ffff_ffff_ffffn;
        known.highest = counter;
        return true;
      }
      const bit = 1n << BigInt(Math.min(known.highest - counter, counterWindow));
      if (known.highest - counter >= counterWindow || (known.seen & bit) !== 0n) return false;
      known.seen |= bit;
      return true;
    },
  };

  function makeRoom(): void {
    const nowMs = clock.monotonicMs();
    uses = new Map([...uses].filter(([, use]) => nowMs - use.issuedMs < nonceLifetimeMs));
    if (uses.size < rememberedNoncesMax) return;
    // Better that honest clients are told "stale" once than that a nonce could be replayed.
    uses = new Map();
    forgottenBeforeMs = Math.floor(nowMs) + 1;
  }
}
