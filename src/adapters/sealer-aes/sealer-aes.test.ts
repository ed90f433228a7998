import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createAesSealer } from "./sealer-aes.ts";

const ids = { randomBytes: (length: number) => Uint8Array.from({ length }, (_, position) => position * 7 + 1) };
const sealer = createAesSealer(new Uint8Array(32).fill(7), ids);

describe("the sealer", () => {
  test("what is sealed comes back, and does not stand readable in the result", () => {
    const sealed = sealer.seal(Buffer.from("a private key"), "digest");
    assert.ok(!Buffer.from(sealed).includes("private"));
    assert.equal(Buffer.from(sealer.unseal(sealed, "digest")).toString(), "a private key");
  });

  test("any changed byte, another purpose and another key are refused", () => {
    const sealed = sealer.seal(Buffer.from("a private key"), "digest");
    for (let position = 0; position < sealed.length; position += 1) {
      const changed = Uint8Array.from(sealed);
      changed[position] = (changed[position] ?? 0) ^ 1;
      assert.throws(() => sealer.unseal(changed, "digest"));
    }
    assert.throws(() => sealer.unseal(sealed, "token"));
    assert.throws(() => createAesSealer(new Uint8Array(32).fill(8), ids).unseal(sealed, "digest"));
    assert.throws(() => sealer.unseal(sealed.subarray(0, 27), "digest"), /too short/);
  });

  test("hashes differ by secret, purpose and key", () => {
    const hash = (secret: string, purpose: string, key = 7): string =>
      Buffer.from(createAesSealer(new Uint8Array(32).fill(key), ids).hash(secret, purpose)).toString("hex");
    assert.equal(hash("s", "token"), hash("s", "token"));
    assert.equal(new Set([hash("s", "token"), hash("t", "token"), hash("s", "secret"), hash("s", "token", 8)]).size, 4);
  });
});
