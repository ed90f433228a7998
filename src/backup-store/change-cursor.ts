import { type ChangedDocuments, IncrementRefused } from "../ports/snapshot-repository.ts";
import { viewOf } from "../shared/bson-element.ts";
import { compareIds, compareWithLeadingId, hasLeadingId } from "../shared/id-order.ts";

/** Bytes that a first id is cut at: with so many, it may be the start of a longer one. */
export const firstIdMaxBytes = 64;

/** Where an `_id` is, seen from a chunk's border: whole documents say it for certain, the border's first id not always. */
export type Side = "before" | "behind" | "unknown";

/** Side of an `_id` on which it is of the border before the chunk that begins with `firstId`; with that very `_id` it is behind. */
export function sideOf(id: Uint8Array, firstId: Uint8Array): Side {
  const order = compareIds(id.subarray(0, firstIdMaxBytes), firstId);
  if (order === undefined || (order === 0 && firstId.length === firstIdMaxBytes)) return "unknown";
  return order < 0 ? "before" : "behind";
}

/** An order that was asked for. Throws `IncrementRefused` when it is not known. */
export function known(order: number | undefined): number {
  if (order === undefined) throw new IncrementRefused("it has an _id of a type whose order is not known here");
  return order;
}

/** Throws `IncrementRefused` when a document does not begin with its `_id`. */
export function requireLeadingId(documents: Buffer, start: number): void {
  if (!hasLeadingId(documents, start)) throw new IncrementRefused("it has a document that does not begin with its _id");
}

/** Goes through what changed: one `_id` after the other, each with its document when there is one. Documents are asked for ahead, from the beginning on. */
export class ChangeCursor {
  readonly #ids: readonly Uint8Array[];
  readonly #pieces: AsyncIterator<Uint8Array>;
  #position = 0;
  #piece: Buffer = Buffer.alloc(0);
  #start = 0;
  #ahead: Promise<IteratorResult<Uint8Array>>;

  constructor({ ids, documents }: ChangedDocuments) {
    this.#ids = ids;
    this.#pieces = documents[Symbol.asyncIterator]();
    this.#ahead = this.#ask();
  }

  /** The `_id` that comes next; undefined behind the last. */
  get id(): Uint8Array | undefined {
    return this.#ids[this.#position];
  }

  /** Goes on to the next `_id`, and answers the document of this one; undefined when it was deleted. Valid until the next call. */
  async take(): Promise<Buffer | undefined> {
    const id = this.id as Uint8Array;
    this.#position += 1;
    const next = this.id;
    // Borders are looked for by the order of all of them.
    if (next !== undefined && known(compareIds(id, next)) >= 0)
      throw new Error("changed documents are not told in _id order");
    if (this.#start === this.#piece.length && !(await this.#nextPiece())) return undefined;
    requireLeadingId(this.#piece, this.#start);
    const order = known(compareWithLeadingId(id, this.#piece, this.#start));
    if (order < 0) return undefined;
    if (order > 0) throw new Error("a changed document came that was not told of, or out of order");
    const end = this.#start + this.#piece.readInt32LE(this.#start);
    const document = this.#piece.subarray(this.#start, end);
    this.#start = end;
    return document;
  }

  /** Throws when a document is left. */
  async end(): Promise<void> {
    if (this.#start < this.#piece.length || (await this.#nextPiece()))
      throw new Error("a changed document came that was not told of, or out of order");
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  #ask(): Promise<IteratorResult<Uint8Array>> {
    const next = this.#pieces.next();
    // Whoever comes to it sees a failure; until then it must not count as unhandled.
    next.catch(() => undefined);
    return next;
  }

  async #nextPiece(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#ahead;
      if (done === true) return false;
      this.#ahead = this.#ask();
      this.#piece = viewOf(value);
      this.#start = 0;
      if (value.length > 0) return true;
    }
  }
}
