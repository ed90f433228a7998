import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BSON, Decimal128, Double } from "mongodb";
import type { CollectionDescription } from "../../ports/snapshot-repository.ts";
import { bytesPerChangedId, ChangedIdSets } from "./changed-ids.ts";

const collection = (number: number): CollectionDescription & { readonly uuid: Uint8Array } => ({
  database: "shop",
  name: `c${number}`,
  type: "collection",
  uuid: new Uint8Array(16).fill(number),
  options: Uint8Array.of(5, 0, 0, 0, 0),
  indexes: [],
});
const elementOf = (id: unknown): Uint8Array => BSON.serialize({ _id: id }).slice(4, -1);
/** Of an int32. */
const sizeOfOne = 9 + bytesPerChangedId;

describe("_ids that changed", () => {
  const [one, two] = [collection(1), collection(2)] as const;

  test("are told by collection, each once and in order", () => {
    const changed = new ChangedIdSets([one, two]);
    for (const id of [3, "a", 1, 3, 2]) changed.add(one.uuid, elementOf(id));
    assert.deepEqual(changed.of(one), { ids: [1, 2, 3, "a"].map((id) => Buffer.from(elementOf(id))) });
    assert.deepEqual(changed.of(two), { ids: [] });
  });

  test("that are the same number are one", () => {
    const changed = new ChangedIdSets([one]);
    for (const id of [1, new Double(1), 2]) changed.add(one.uuid, elementOf(id));
    const ids = changed.of(one);
    assert.equal("ids" in ids && ids.ids.length, 2);
  });

  test("of other collections are nothing", () => {
    const changed = new ChangedIdSets([one], { maxBytes: 0 });
    changed.add(two.uuid, elementOf(1));
    assert.deepEqual(changed.of(one), { ids: [] });
    assert.ok("unknown" in changed.of(two));
  });

  test("of a type whose order is not known make those of their collection unknown", () => {
    const changed = new ChangedIdSets([one]);
    for (const id of [1, Decimal128.fromString("2")]) changed.add(one.uuid, elementOf(id));
    assert.ok("unknown" in changed.of(one));
  });

  for (const [maxBytes, isKnown] of [
    [4 * sizeOfOne - 1, false],
    [4 * sizeOfOne, true],
    [4 * sizeOfOne + 1, true],
  ] as const)
    test(`four of them in ${maxBytes} bytes are ${isKnown ? "known" : "too many"}; the collection with fewer stays known`, () => {
      const changed = new ChangedIdSets([one, two], { maxBytes });
      changed.add(two.uuid, elementOf(1));
      for (const id of [1, 2, 3]) changed.add(one.uuid, elementOf(id));
      assert.equal("ids" in changed.of(one), isKnown);
      assert.equal("ids" in changed.of(two), true);
      changed.add(one.uuid, elementOf(1));
      assert.equal("ids" in changed.of(one), isKnown, "what is there already takes no more");
      assert.equal(changed.isGivenUp, false);
    });

  for (const [most, isKnown] of [
    [1, false],
    [2, true],
    [3, true],
  ] as const)
    test(`two of a collection of which ${most} are wanted are ${isKnown ? "known" : "too many"}, and take no room from another`, () => {
      const mostOf = (of: CollectionDescription): number => (of === one ? most : 9);
      const changed = new ChangedIdSets([one, two], { mostOf, maxBytes: 9 * sizeOfOne });
      for (const id of [1, 2, 1]) changed.add(one.uuid, elementOf(id));
      assert.equal("ids" in changed.of(one), isKnown);
      for (let id = 0; id < (isKnown ? 7 : 9); id += 1) changed.add(two.uuid, elementOf(id));
      assert.equal("ids" in changed.of(two), true);
      assert.equal("ids" in changed.of(one), isKnown);
      assert.equal(changed.isGivenUp, false);
    });

  test("are given up when none is known any more", () => {
    const changed = new ChangedIdSets([one], { maxBytes: 0 });
    changed.add(one.uuid, elementOf(1));
    assert.equal(changed.isGivenUp, true);
  });
});
