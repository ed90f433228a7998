import { open } from "node:fs/promises";
import { type Document, ObjectId, serialize } from "bson";

// Order-like documents from a fixed seed, as concatenated BSON: about 280 bytes each, with names and numbers that repeat as those of a shop do.

const states = ["open", "paid", "sent", "lost"] as const;
const cities = ["Berlin", "Porto", "Kyoto", "Quito", "Oslo", "Accra", "Lima", "Turin", "Perth", "Hanoi"] as const;

const batchBytes = 4_194_304;

export interface OrderVariant {
  /** Share of documents whose state was changed. */
  readonly updated: number;
  /** Share of documents appended. */
  readonly appended: number;
  /** Tells one change from another. */
  readonly round: number;
}

/** Writes about `sizeBytes` of documents (before what is appended) to a file, and answers its size. */
export async function writeOrders(path: string, sizeBytes: number, variant: OrderVariant): Promise<number> {
  await using file = await open(path, "w");
  let written = 0;
  for (const batch of orderBatches(sizeBytes, variant)) {
    await file.writeFile(batch);
    written += batch.length;
  }
  await file.sync();
  return written;
}

/** About `sizeBytes` of documents, some mebibytes at a time. */
export function* orderBatches(sizeBytes: number, variant: OrderVariant): Generator<Buffer> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for (const document of orders(sizeBytes, variant)) {
    parts.push(document);
    size += document.length;
    if (size < batchBytes) continue;
    yield Buffer.concat(parts);
    parts = [];
    size = 0;
  }
  yield Buffer.concat(parts);
}

function* orders(sizeBytes: number, variant: OrderVariant): Generator<Uint8Array> {
  let number = 0;
  for (let made = 0; made < sizeBytes; number += 1) {
    const document = serialize(orderOf(number, variant));
    made += document.length;
    yield document;
  }
  const added = appendedTo(number, variant);
  for (let count = 0; count < added; count += 1) yield serialize(orderOf(number + count, variant, number));
}

/** How many are appended to so many documents. */
export function appendedTo(count: number, { appended }: OrderVariant): number {
  return Math.floor(count * appended);
}

/** Whether a document's state was changed; what is appended, from `count` on, never is. */
export function isUpdated(number: number, { updated, round }: OrderVariant, count: number = Infinity): boolean {
  return number < count && mix(number, 77 + round) / 2 ** 32 < updated;
}

export function orderOf(number: number, variant: OrderVariant, count?: number): Document {
  const isChanged = isUpdated(number, variant, count);
  const id = Buffer.alloc(12);
  id.writeUInt32BE(1_700_000_000 + (number >> 6), 0);
  id.writeUInt32BE(0x51_7a_9c_01, 4);
  id.writeUInt32BE(number, 8);
  const items = Array.from({ length: 1 + (mix(number, 1) % 5) }, (_, index) => ({
    sku: `SKU-${String(mix(number, 10 + index) % 100_000).padStart(5, "0")}`,
    n: 1 + (mix(number, 20 + index) % 9),
    price: (mix(number, 30 + index) % 100_000) / 100,
  }));
  return {
    _id: new ObjectId(id),
    c: mix(number, 2) % 1_000_000,
    t: items.reduce((sum, item) => sum + item.n * item.price, 0),
    at: new Date(1_700_000_000_000 + number * 900),
    st: isChanged ? "back" : states[mix(number, 3) % states.length],
    city: cities[mix(number, 4) % cities.length],
    items,
  };
}

/** A 32-bit hash of a number under another (the last steps of MurmurHash3). */
function mix(number: number, salt: number): number {
  let hash = Math.imul(number ^ Math.imul(salt, 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
