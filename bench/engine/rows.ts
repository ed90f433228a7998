import { type Collection, type Db, ObjectId } from "mongodb";

/** One thing that is measured, in steps that are repeated for a while. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  /** Whether every document is looked at, where the aim is twice the other's speed. */
  readonly scan?: boolean;
  /** How many take steps at once; 1 when left out. */
  readonly clients?: number;
  /** Step number `index` over a collection of so many documents; answers how many units it did. */
  step(database: Db, index: number, documents: number): Promise<number>;
}

const cities = 50;

interface Person {
  readonly _id: ObjectId;
  readonly n: number;
  readonly city: string;
  readonly score: number;
  readonly visits: number;
  readonly name: string;
  readonly tags: readonly string[];
  readonly address: { readonly street: string; readonly zip: string };
  readonly since: Date;
  readonly note: string;
}

/** ObjectIds, as applications have: FerretDB looks other numbers up by scanning. */
const idOf = (number: number): ObjectId => new ObjectId(number.toString(16).padStart(24, "0"));

/** About 400 bytes. Scores are scattered over 0 to 1 by the golden ratio, the same at every run. */
function person(number: number): Person {
  return {
    _id: idOf(number),
    n: number,
    city: `city${number % cities}`,
    score: (number * 0.618_033_988_749_895) % 1,
    visits: number % 1000,
    name: `Person number ${number}`,
    tags: [`tag${number % 7}`, `tag${number % 11}`, "all"],
    address: { street: `Street ${number % 997}`, zip: String(10_000 + (number % 89_999)) },
    since: new Date(1_600_000_000_000 + number * 1000),
    note: "a note about this person ".repeat(6),
  };
}

/** Number `index` of a walk over all documents that is the same at every run and goes to and fro. */
const scattered = (index: number, documents: number): number => (index * 7919) % documents;

export function people(database: Db): Collection<Person> {
  return database.collection<Person>("people");
}

export async function fill(database: Db, documents: number): Promise<void> {
  await people(database).drop();
  for (let from = 0; from < documents; from += 1000)
    await people(database).insertMany(
      Array.from({ length: Math.min(1000, documents - from) }, (_, i) => person(from + i)),
    );
  await people(database).createIndex({ n: 1 });
}

export const rows: readonly Row[] = [
  {
    name: "insertMany, 1000 a batch",
    unit: "documents",
    async step(database, index) {
      const collection = database.collection<Person>("inserted");
      if (index === 0) await collection.drop();
      await collection.insertMany(Array.from({ length: 1000 }, (_, place) => person(index * 1000 + place)));
      return 1000;
    },
  },
  {
    name: "point read by _id",
    unit: "reads",
    async step(database, index, documents) {
      await people(database).findOne({ _id: idOf(scattered(index, documents)) });
      return 1;
    },
  },
  {
    name: "indexed range of 100",
    unit: "ranges",
    async step(database, index, documents) {
      const from = scattered(index, documents - 100);
      await people(database)
        .find({ n: { $gte: from, $lt: from + 100 } })
        .toArray();
      return 1;
    },
  },
  {
    name: "filtered scan, 2 fields",
    unit: "documents",
    scan: true,
    async step(database, index, documents) {
      await people(database)
        .find({ city: `city${index % cities}`, score: { $gt: 0.9 } })
        .toArray();
      return documents;
    },
  },
  {
    name: "sort with limit 10",
    unit: "documents",
    scan: true,
    async step(database, _index, documents) {
      await people(database)
        .find({}, { sort: { score: -1 }, limit: 10 })
        .toArray();
      return documents;
    },
  },
  {
    name: "update one by _id",
    unit: "updates",
    async step(database, index, documents) {
      await people(database).updateOne({ _id: idOf(scattered(index, documents)) }, { $inc: { visits: 1 } });
      return 1;
    },
  },
  {
    name: "updateMany of a tenth",
    unit: "documents",
    scan: true,
    async step(database, _index, documents) {
      const { modifiedCount } = await people(database).updateMany(
        { n: { $lt: documents / 10 } },
        { $inc: { visits: 1 } },
      );
      if (modifiedCount !== documents / 10) throw new Error(`only ${modifiedCount} were changed`);
      return modifiedCount;
    },
  },
  {
    name: "$group by city",
    unit: "documents",
    scan: true,
    async step(database, _index, documents) {
      await people(database)
        .aggregate([{ $group: { _id: "$city", count: { $sum: 1 }, visits: { $sum: "$visits" } } }])
        .toArray();
      return documents;
    },
  },
  {
    name: "reads and writes, 16 clients",
    unit: "operations",
    clients: 16,
    async step(database, index, documents) {
      const id = idOf(scattered(index, documents));
      const written = database.collection<Person>("mixed");
      if (index === 0) await written.drop();
      if (index % 10 < 7) await people(database).findOne({ _id: id });
      else if (index % 10 < 9) await people(database).updateOne({ _id: id }, { $inc: { visits: 1 } });
      else await written.insertOne({ ...person(index), _id: new ObjectId() });
      return 1;
    },
  },
];
