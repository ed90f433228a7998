import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serialize } from "bson";
import { commandNamed } from "./index.ts";
import type { CommandDefinition } from "./define-command.ts";
import { writeConcernOf } from "./write-concern.ts";

const insert = commandNamed("insert") as CommandDefinition;
const durable = (writeConcern?: object): boolean =>
  writeConcernOf(insert, serialize(writeConcern === undefined ? {} : { writeConcern })).durable;

describe("write concerns", () => {
  test("the disk has it before the answer, unless it is said that this is not needed", () => {
    for (const concern of [
      undefined,
      {},
      { w: 1 },
      { w: 1, j: true },
      { w: "majority" },
      { w: "majority", j: false },
      { w: 2 },
      { w: 0, j: true },
    ])
      assert.equal(durable(concern), true, JSON.stringify(concern));
    for (const concern of [{ w: 0 }, { w: 1, j: false }, { w: 0, j: false }])
      assert.equal(durable(concern), false, JSON.stringify(concern));
  });

  test("one node gives what it can, and names what it cannot", () => {
    const failure = (writeConcern: object): number | undefined =>
      writeConcernOf(insert, serialize({ writeConcern })).unsatisfiable?.code;
    assert.deepEqual(
      [failure({ w: 0 }), failure({ w: 1 }), failure({ w: "majority" })],
      [undefined, undefined, undefined],
    );
    assert.deepEqual([failure({ w: 2 }), failure({ w: 50 }), failure({ w: "x" })], [100, 100, 79]);
    assert.throws(() => failure({ w: 51 }), { code: 9 });
  });
});
