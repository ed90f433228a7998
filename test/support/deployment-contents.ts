import { BSON, type Document, Double, type MongoClient } from "mongodb";
import { insertRaw } from "../../src/adapters/source-mongodb/raw-insert.ts";

/** `{_id: 7, "2": 1, "1": 2, a: 1, a: 2, z: -0.0}`: what no object of a programming language holds. */
export const odd = Buffer.from(
  "3c000000" +
    "105f6964000700000010320001000000103100020000001061000100000010610002000000017a000000000000000080" +
    "026e000100000000" +
    "00",
  "hex",
);
odd.writeInt32LE(odd.length, 0);

/** Collections of every kind, with options, indexes and documents that are easily lost on the way. */
export async function fill(client: MongoClient): Promise<void> {
  const shop = client.db("shop");
  await shop.createCollection("orders", { collation: { locale: "en", strength: 2 } });
  await shop
    .collection("orders")
    .insertMany(
      Array.from({ length: 2500 }, (_, n) => ({ _id: n as never, n: new Double(n), text: "x".repeat(n % 1500) })),
    );
  await shop.collection("orders").createIndexes([
    { key: { n: -1, text: 1 }, name: "by n" },
    { key: { n: 1 }, name: "rare", sparse: true, expireAfterSeconds: 3600 },
    { key: { text: "hashed" }, name: "hashed" },
    { key: { text: 1 }, name: "partial", partialFilterExpression: { n: { $gt: 10 } } },
  ]);
  await shop.createCollection("checked", { validator: { never: { $exists: true } }, validationAction: "error" });
  await shop.collection("checked").insertOne({ _id: 1 as never }, { bypassDocumentValidation: true });
  await shop.createCollection("ring", { capped: true, size: 1_000_000, max: 10 });
  await shop.collection("ring").insertMany([{ _id: 2 as never }, { _id: 3 as never }]);
  await shop.createCollection("seen", { viewOn: "orders", pipeline: [{ $match: { n: { $lt: 5 } } }] });
  await shop.createCollection("empty");
  await insertRaw(client, "odd", "things", odd);
}

/** Every collection's description and the hash of its documents. */
export async function contentsOf(client: MongoClient): Promise<Document> {
  const contents: Document = {};
  const { databases } = await client.db("admin").admin().listDatabases({ nameOnly: true });
  for (const { name: database } of databases) {
    if (["local", "config", "admin"].includes(database)) continue;
    for (const { name, type, options } of (await client
      .db(database)
      .listCollections({}, { nameOnly: false })
      .toArray()) as Document[]) {
      const collection = client.db(database).collection(name as string);
      const documents = (await collection
        .find({}, { raw: true, sort: { _id: 1 } })
        .toArray()) as unknown as Uint8Array[];
      const indexes = type === "view" ? [] : await collection.indexes();
      contents[`${database}.${name}`] = {
        type,
        options: BSON.EJSON.stringify(options),
        indexes: indexes.map((index) => BSON.EJSON.stringify(index)).toSorted(),
        documents: documents.map((bytes) => Buffer.from(bytes).toString("hex")),
      };
    }
  }
  return contents;
}
