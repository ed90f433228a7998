import {
  Binary,
  type Collection,
  type Document,
  Double,
  Long,
  type MongoClient,
  MongoServerError,
  ObjectId,
} from "mongodb";

type Things = Collection<Document>;

const databaseNames = ["shop", "stock"] as const;
const collectionNames = ["a", "b", "c"] as const;

/** Does whatever a client can do to databases, as a seed says: documents, transactions, collections, indexes. */
export class RandomWriter {
  readonly #client: MongoClient;
  readonly #random: () => number;

  constructor(client: MongoClient, random: () => number) {
    this.#client = client;
    this.#random = random;
  }

  /** Documents in every collection, among them collections of other kinds. */
  async fill(): Promise<void> {
    const shop = this.#client.db("shop");
    await shop.createCollection("capped", { capped: true, size: 20_000 });
    await shop.createCollection("collated", { collation: { locale: "de", strength: 2 } });
    await shop.createCollection("seen", { viewOn: "a", pipeline: [] });
    for (const database of databaseNames)
      for (const name of collectionNames) {
        const things: Things = this.#client.db(database).collection(name);
        await withoutRefusal(() => this.#insertMany(things, 400));
      }
  }

  async doSomething(): Promise<void> {
    await withoutRefusal(() => this.#pick(this.#deeds)(this.#things()));
  }

  readonly #deeds: readonly ((things: Things) => Promise<unknown>)[] = [
    ...Array.from({ length: 6 }, () => (things: Things) => things.insertOne(this.#document())),
    (things) => this.#insertMany(things, 1 + this.#below(60)),
    ...Array.from(
      { length: 4 },
      () => async (things: Things) => things.updateOne(await this.#some(things), this.#change()),
    ),
    (things) => things.updateMany({ n: { $lt: this.#below(30) } }, this.#change()),
    async (things) => things.replaceOne(await this.#some(things), { replaced: this.#text() }, { upsert: true }),
    async (things) => things.findOneAndUpdate({ _id: this.#id() } as Document, { $inc: { n: 1 } }, { upsert: true }),
    async (things) => things.deleteOne(await this.#some(things)),
    async (things) => things.deleteMany({ n: this.#below(100) }),
    async (things) => {
      const { _id } = await this.#some(things);
      // The same number as another type is the same _id.
      await things.deleteOne({ _id });
      await things.insertOne({ _id: typeof _id === "number" ? new Double(_id) : _id, again: this.#text() } as Document);
    },
    async (things) =>
      things.bulkWrite(
        [
          { insertOne: { document: this.#document() } },
          { updateOne: { filter: await this.#some(things), update: this.#change() } },
          { deleteOne: { filter: await this.#some(things) } },
          { replaceOne: { filter: await this.#some(things), replacement: { bulk: this.#text() }, upsert: true } },
        ],
        { ordered: this.#random() < 0.5 },
      ),
    (things) => this.#inTransaction(things, true),
    (things) => this.#inTransaction(things, false),
    () =>
      this.#client
        .db("shop")
        .collection("capped")
        .insertMany(Array.from({ length: 20 }, () => this.#document())),
    () =>
      this.#client
        .db("shop")
        .collection<Document>("collated")
        .insertOne({ _id: this.#text().slice(0, 10) } as Document),
    (things) => things.createIndex({ n: this.#random() < 0.5 ? 1 : -1 }, { name: `n${this.#below(3)}` }),
    (things) => things.dropIndex(`n${this.#below(3)}`),
    (things) => things.createIndex({ gone: 1 }, { expireAfterSeconds: 1000 }),
    (things) =>
      this.#client
        .db(things.dbName)
        .command({ collMod: things.collectionName, validationLevel: this.#pick(["off", "moderate"]) }),
    async (things) => {
      if (this.#random() < 0.3) await things.drop();
      if (this.#random() < 0.3) await this.#insertMany(things, 30);
    },
    async (things) => {
      if (this.#random() < 0.3) await things.rename(this.#pick(collectionNames), { dropTarget: true });
    },
    async (things) => {
      if (this.#random() < 0.1) await this.#client.db(things.dbName).dropDatabase();
    },
    (things) => things.aggregate([{ $match: { n: { $lt: 10 } } }, { $out: "out" }]).toArray(),
    (things) => things.aggregate([{ $limit: 5 }, { $merge: { into: this.#pick(collectionNames) } }]).toArray(),
  ];

  async #inTransaction(things: Things, isCommitted: boolean): Promise<void> {
    await this.#client.withSession(async (session) => {
      session.startTransaction();
      await things.insertOne(this.#document(), { session });
      await things.updateOne(await this.#some(things), this.#change(), { session });
      await this.#things().insertMany(
        Array.from({ length: 1 + this.#below(30) }, () => this.#document()),
        { session },
      );
      await this.#things().deleteOne({ n: this.#below(100) }, { session });
      await (isCommitted ? session.commitTransaction() : session.abortTransaction());
    });
  }

  #insertMany(things: Things, count: number): Promise<unknown> {
    return things.insertMany(
      Array.from({ length: count }, () => this.#document()),
      { ordered: false },
    );
  }

  #things(): Things {
    return this.#client.db(this.#pick(databaseNames)).collection<Document>(this.#pick(collectionNames));
  }

  /** A filter that finds one document, most often. */
  async #some(things: Things): Promise<Document> {
    const [found] = await things
      .find({}, { projection: { _id: 1 }, promoteValues: true })
      .skip(this.#below(200))
      .limit(1)
      .toArray();
    return { _id: found?.["_id"] ?? this.#id() };
  }

  #change(): Document {
    return this.#pick([
      { $set: { text: this.#text() } },
      { $inc: { n: 1 } },
      { $unset: { text: "" } },
      { $push: { list: this.#below(100) } },
      [{ $set: { n: this.#below(100), piped: "$text" } }],
    ]);
  }

  #document(): Document {
    return { _id: this.#id(), n: this.#below(100), text: this.#text() } as Document;
  }

  #id(): unknown {
    return this.#pick([
      this.#below(2000),
      this.#below(2000),
      new Double(this.#random() * 1000),
      Long.fromNumber(this.#below(1_000_000) * 1_000_000),
      new ObjectId(),
      this.#text().slice(0, 12),
      `${"the same for long ".repeat(5)}${this.#below(500)}`,
      new Binary(Buffer.from(this.#text().slice(0, this.#below(90)))),
      { shop: this.#below(20), "0": this.#text().slice(0, 5) },
      { a: this.#below(20), b: `${"x".repeat(70)}${this.#below(5)}` },
      new Date(this.#below(2 ** 31) * 1000),
      this.#random() < 0.5,
      null,
    ]);
  }

  /** Short most often, and now and then larger than a chunk. */
  #text(): string {
    const length = this.#random() < 0.01 ? 70_000 : Math.floor(this.#random() ** 4 * 4000);
    return this.#random()
      .toString(36)
      .repeat(Math.ceil(length / 12) + 1)
      .slice(2, length + 14);
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)] as Item;
  }
}

/** A duplicate `_id`, an index that is there: what the server refuses is not done. */
async function withoutRefusal(deed: () => Promise<unknown>): Promise<void> {
  try {
    await deed();
  } catch (error) {
    if (!(error instanceof MongoServerError)) throw error;
  }
}
