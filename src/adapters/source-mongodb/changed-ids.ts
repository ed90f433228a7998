import type { CollectionDescription } from "../../ports/snapshot-repository.ts";
import type { ChangedIds } from "../../ports/snapshot-source.ts";
import { compareIds } from "../../shared/id-order.ts";

/** Memory for all `_id`s of one reading; a set takes about this much for each besides its bytes. */
export const changedIdsMaxBytes = 32 * 1_048_576;
export const bytesPerChangedId = 96;

export interface ChangedIdLimits {
  /** `_id`s of a collection, at most. */
  readonly mostOf?: ((collection: CollectionDescription) => number) | undefined;
  readonly maxBytes?: number;
}

interface Changed {
  readonly most: number;
  names: Set<string> | undefined;
  sizeBytes: number;
}

/**
 * Collects `_id`s by collection. One that has more than it may is given up, since its documents are quicker read from first to last; and when all together are too many, the one that has
 * the most.
 */
export class ChangedIdSets {
  readonly #byUuid: ReadonlyMap<string, Changed>;
  readonly #maxBytes: number;
  #sizeBytes = 0;

  constructor(
    collections: readonly CollectionDescription[],
    { mostOf = () => Infinity, maxBytes = changedIdsMaxBytes }: ChangedIdLimits = {},
  ) {
    this.#byUuid = new Map(
      collections.flatMap((collection) =>
        collection.uuid === undefined
          ? []
          : [[nameOf(collection.uuid), { most: mostOf(collection), names: new Set(), sizeBytes: 0 }]],
      ),
    );
    this.#maxBytes = maxBytes;
  }

  /** Whether nothing more needs to be known of any collection. */
  get isGivenUp(): boolean {
    return [...this.#byUuid.values()].every(({ names }) => names === undefined);
  }

  /** Takes the element of an `_id`; of a collection that is not asked about it is nothing. */
  add(uuid: Uint8Array, id: Uint8Array): void {
    const changed = this.#byUuid.get(nameOf(uuid));
    if (changed?.names === undefined) return;
    const name = nameOf(id);
    if (changed.names.has(name)) return;
    changed.names.add(name);
    changed.sizeBytes += id.length + bytesPerChangedId;
    this.#sizeBytes += id.length + bytesPerChangedId;
    if (changed.names.size > changed.most) this.#giveUp(changed);
    while (this.#sizeBytes > this.#maxBytes) this.#giveUpLargest();
  }

  of({ uuid }: CollectionDescription): ChangedIds {
    const changed = uuid === undefined ? undefined : this.#byUuid.get(nameOf(uuid));
    if (changed === undefined) return { unknown: "it has no UUID" };
    if (changed.names === undefined) return { unknown: "too many documents changed" };
    const ids = [...changed.names].map((name) => Buffer.from(name, "latin1"));
    let isKnown = true;
    ids.sort((one, other) => {
      const order = compareIds(one, other);
      isKnown &&= order !== undefined;
      return order ?? 0;
    });
    if (!isKnown) return { unknown: "a document with an _id of a type whose order is not known here changed" };
    // 1 and 1.0 are one `_id`: a document with the one may have taken the place of the other.
    return { ids: ids.filter((id, index) => index === 0 || compareIds(ids[index - 1] as Buffer, id) !== 0) };
  }

  #giveUpLargest(): void {
    let largest: Changed | undefined;
    for (const changed of this.#byUuid.values()) if (changed.sizeBytes > (largest?.sizeBytes ?? 0)) largest = changed;
    if (largest !== undefined) this.#giveUp(largest);
  }

  #giveUp(changed: Changed): void {
    this.#sizeBytes -= changed.sizeBytes;
    changed.names = undefined;
    changed.sizeBytes = 0;
  }
}

function nameOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
