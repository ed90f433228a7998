import assert from "node:assert/strict";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { describe, test } from "node:test";
import { checkClientFinal, readClientFirst, type ScramConversation, serverFirst, unknownCredential } from "./scram.ts";

// The example of RFC 7677, section 3.
const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
const salted = pbkdf2Sync("pencil", salt, 4096, 32, "sha256");
const key = (name: string): Buffer => createHmac("sha256", salted).update(name).digest();
const credential = {
  salt,
  iterationCount: 4096,
  storedKey: createHash("sha256").update(key("Client Key")).digest(),
  serverKey: key("Server Key"),
};
const clientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const clientFinal = `c=biws,r=${nonce},p=${proof}`;

function conversation(changes: Partial<ScramConversation> = {}): ScramConversation {
  const { username, bare } = readClientFirst(clientFirst);
  return {
    id: 1,
    username,
    database: "admin",
    nonce,
    said: `${bare},${serverFirst(nonce, credential)}`,
    found: { username, credential, roles: [] },
    credential,
    skipEmptyExchange: true,
    proven: false,
    ...changes,
  };
}

describe("SCRAM-SHA-256", () => {
  test("the example of RFC 7677 goes through, word for word", () => {
    assert.equal(serverFirst(nonce, credential), `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`);
    assert.equal(checkClientFinal(clientFinal, conversation()), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  });

  const refused: readonly (readonly [string, string])[] = [
    ["another proof", `c=biws,r=${nonce},p=${Buffer.alloc(32).toString("base64")}`],
    ["a right proof with something behind it", `${clientFinal.slice(0, -1)}AAA=`],
    ["a proof that is too short", `c=biws,r=${nonce},p=dHzb`],
    ["a proof that is too long", `c=biws,r=${nonce},p=${Buffer.alloc(33).toString("base64")}`],
    ["another nonce", `c=biws,r=${nonce}x,p=${proof}`],
    ["a channel binding", `c=eSws,r=${nonce},p=${proof}`],
    ["no proof", `c=biws,r=${nonce}`],
    ["nothing", ""],
  ];
  for (const [name, message] of refused) {
    test(`${name} is no proof`, () =>
      assert.throws(() => checkClientFinal(message, conversation()), { code: 18, message: "Authentication failed." }));
  }

  test("a user nobody has is refused whatever the proof, and always has the same salt", () => {
    const secret = Buffer.alloc(32, 7);
    assert.throws(() => checkClientFinal(clientFinal, conversation({ found: undefined })), { code: 18 });
    assert.deepEqual(unknownCredential(secret, "a"), unknownCredential(secret, "a"));
    assert.notDeepEqual(unknownCredential(secret, "a").salt, unknownCredential(secret, "b").salt);
    assert.notDeepEqual(unknownCredential(secret, "a").salt, unknownCredential(Buffer.alloc(32, 8), "a").salt);
    assert.equal(unknownCredential(secret, "a").salt.length, 28);
  });

  test("names are read back from how they are sent", () => {
    assert.equal(readClientFirst("n,,n=a=2Cb=3D2C,r=12345678").username, "a,b=2C");
  });

  test("what is no first message is refused", () => {
    for (const message of [
      "",
      "n,,n=,r=12345678",
      "n,,n=a,r=short",
      "p=tls-unique,,n=a,r=12345678",
      "n,a=b,n=a,r=12345678",
    ])
      assert.throws(() => readClientFirst(message), { code: 18 }, message);
  });
});
