import type { Damage, HurtRange } from "../ports/snapshot-repository.ts";

/** Ranges told of one object. */
const rangesMax = 1000;

interface OpenDamage {
  readonly objectKey: string;
  reason: string;
  readonly lostSnapshotIds: Set<string>;
  readonly ranges: HurtRange[];
  rangesLeftOut: number;
}

/** Collects what is wrong, by object. */
export class DamageReport {
  readonly #damages = new Map<string, OpenDamage>();

  get isEmpty(): boolean {
    return this.#damages.size === 0;
  }

  add(objectKey: string, reason: string): void {
    this.#of(objectKey, reason);
  }

  lose(objectKey: string, snapshotId: string, reason: string): void {
    this.#of(objectKey, reason).lostSnapshotIds.add(snapshotId);
  }

  /** Hurt documents; told in the order of the collection, so that neighbours become one range. */
  hurt(objectKey: string, reason: string, range: HurtRange): void {
    const damage = this.#of(objectKey, reason);
    const last = damage.ranges.at(-1);
    if (last !== undefined && follows(last, range))
      damage.ranges[damage.ranges.length - 1] = {
        ...last,
        toId: range.toId,
        documentCount: last.documentCount + range.documentCount,
      };
    else if (damage.ranges.length < rangesMax) damage.ranges.push(range);
    else damage.rangesLeftOut += 1;
  }

  damages(): readonly Damage[] {
    return [...this.#damages.values()].map((damage) => ({ ...damage, lostSnapshotIds: [...damage.lostSnapshotIds] }));
  }

  #of(objectKey: string, reason: string): OpenDamage {
    const known = this.#damages.get(objectKey);
    if (known !== undefined) return known;
    const made = { objectKey, reason, lostSnapshotIds: new Set<string>(), ranges: [], rangesLeftOut: 0 };
    this.#damages.set(objectKey, made);
    return made;
  }
}

function follows(one: HurtRange, next: HurtRange): boolean {
  return (
    one.manifestKey === next.manifestKey &&
    one.database === next.database &&
    one.collection === next.collection &&
    one.toId !== undefined &&
    Buffer.compare(one.toId, next.fromId) === 0
  );
}
