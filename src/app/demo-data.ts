import { Decimal128, Double, Int32, Long, ObjectId } from "bson";
import type { Db } from "mongodb";

export const demoDatabaseName = "sample_shop";

const cities = ["Athens", "Bergen", "Cork", "Dakar", "Essen", "Faro", "Ghent", "Hobart"];
const products = [
  "amphora",
  "bronze mirror",
  "chariot",
  "discus",
  "figurine",
  "helmet",
  "kylix",
  "lyre",
  "mosaic",
  "olive press",
];

/** Fills an empty database with a small shop: a few types of numbers, nested documents, dates and indexes, so that a restore has something to keep. */
export async function insertDemoData(database: Db): Promise<void> {
  const firstDayMs = Date.UTC(2026, 0, 1);
  await database.collection("products").insertMany(
    products.map((name, position) => ({
      _id: new ObjectId(demoObjectId(1, position)),
      name,
      price: Decimal128.fromString(`${(position + 1) * 12}.50`),
      stock: new Int32(position * 7),
      dimensions: { width: new Double(position / 3), height: new Double(position / 2) },
    })),
  );
  await database.collection("customers").insertMany(
    Array.from({ length: 200 }, (_, position) => ({
      _id: new ObjectId(demoObjectId(2, position)),
      email: `customer${position}@example.com`,
      city: cities[position % cities.length],
      since: new Date(firstDayMs - position * 86_400_000),
      points: Long.fromNumber(position * 1_000_003),
    })),
  );
  await database.collection("orders").insertMany(
    Array.from({ length: 2000 }, (_, position) => ({
      _id: new ObjectId(demoObjectId(3, position)),
      customer: new ObjectId(demoObjectId(2, position % 200)),
      placedAt: new Date(firstDayMs + position * 600_000),
      status: ["open", "paid", "shipped"][position % 3],
      items: Array.from({ length: 1 + (position % 4) }, (_item, line) => ({
        product: products[(position + line) % products.length],
        quantity: new Int32(1 + ((position * 7 + line) % 5)),
      })),
    })),
  );
  await database.collection("customers").createIndex({ email: 1 }, { unique: true });
  await database.collection("orders").createIndex({ customer: 1, placedAt: -1 });
  await database.collection("orders").createIndex({ status: 1 });
}

/** The same ids at every start, so that two demos hold the same bytes. */
function demoObjectId(kind: number, position: number): string {
  return `6a000000${kind.toString(16).padStart(8, "0")}${position.toString(16).padStart(8, "0")}`;
}
