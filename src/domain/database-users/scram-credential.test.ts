import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { describe, test } from "node:test";
import { createRandomIds } from "../../adapters/ids-random.ts";
import { errorOf } from "../../../test/support/domain-world.ts";
import { deriveScramCredential, scramCredential } from "./scram-credential.ts";

describe("SCRAM-SHA-256 credentials", () => {
  test("they check the exchange of RFC 7677 section 3, both ways", async () => {
    const salt = Uint8Array.from(Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"));
    const credential = await deriveScramCredential("pencil", salt, 4096);
    const withoutProof = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const authMessage = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,${withoutProof}`;
    const proof = Buffer.from("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "base64");
    const signature = createHmac("sha256", credential.storedKey).update(authMessage).digest();
    const clientKey = proof.map((byte, index) => byte ^ (signature[index] ?? 0));
    assert.deepEqual(Uint8Array.from(createHash("sha256").update(clientKey).digest()), credential.storedKey);
    const serverSignature = createHmac("sha256", credential.serverKey).update(authMessage).digest("base64");
    assert.equal(serverSignature, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  });

  test("every new password gets 28 random bytes of salt and 15,000 iterations", async () => {
    const ids = createRandomIds();
    const [one, two] = await Promise.all([
      scramCredential("same password", ids),
      scramCredential("same password", ids),
    ]);
    assert.deepEqual([one.salt.length, one.iterationCount], [28, 15_000]);
    assert.notDeepEqual(one.salt, two.salt);
    assert.notDeepEqual(one.storedKey, two.storedKey);
  });

  test("passwords that SASLprep makes equal give equal keys, forbidden ones are refused without being shown", async () => {
    const salt = Uint8Array.of(1, 2, 3);
    const plain = await deriveScramCredential("IX", salt, 2);
    assert.deepEqual(await deriveScramCredential("I\u00ADX", salt, 2), plain);
    assert.deepEqual(await deriveScramCredential("\u2168", salt, 2), plain);
    const refusal = errorOf("invalid", "INVALID_ATTRIBUTE", "Invalid attribute password specified.", ["password"]);
    await assert.rejects(deriveScramCredential("bell\u0007", salt, 2), refusal);
    await assert.rejects(deriveScramCredential("\u00AD", salt, 2), refusal);
  });
});
