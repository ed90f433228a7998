// Compass's own data layer against the demo's database (its first argument). Prints `ok <name>` or `FAIL <name>: why`, and exits with 1 when one failed.
const { connect } = require("mongodb-data-service");

const uri = process.argv[2];
let failed = false;

async function attempt(name, run, holds = () => true) {
  try {
    const result = await run();
    const good = holds(result);
    failed ||= !good;
    console.log(good ? `ok ${name}` : `FAIL ${name}: ${JSON.stringify(result)?.slice(0, 300)}`);
  } catch (error) {
    failed = true;
    console.log(`FAIL ${name}: ${error.message}`);
  }
}

async function main() {
  const service = await connect({ connectionOptions: { connectionString: uri } });
  const ns = "compass.things";
  await service.dropDatabase("compass").catch(() => undefined);
  await attempt(
    "the instance is described",
    () => service.instance(),
    ({ build }) => build.version.split(".").length === 3,
  );
  await attempt(
    "what runs is listed",
    () => service.currentOp(),
    ({ inprog }) => Array.isArray(inprog),
  );
  await attempt(
    "the server's figures",
    () => service.serverStatus(),
    ({ connections }) => connections.current > 0,
  );
  await attempt(
    "use by collection",
    () => service.top(),
    ({ totals }) => typeof totals === "object",
  );
  await attempt("a collection is made", () => service.createCollection(ns, { validator: { n: { $type: "number" } } }));
  await attempt(
    "one document is inserted",
    () => service.insertOne(ns, { _id: 0, n: 0 }),
    (r) => r.acknowledged,
  );
  const many = Array.from({ length: 500 }, (_, index) => ({ _id: index + 1, n: index + 1, even: index % 2 === 1 }));
  await attempt(
    "many are inserted",
    () => service.insertMany(ns, many),
    (r) => r.insertedCount === 500,
  );
  await attempt(
    "the validator holds",
    () =>
      service.insertOne(ns, { n: "no" }).then(
        () => false,
        (error) => error.code === 121,
      ),
    Boolean,
  );
  await attempt(
    "databases are listed",
    () => service.listDatabases(),
    (all) => all.some(({ name }) => name === "compass"),
  );
  await attempt(
    "collections are listed",
    () => service.listCollections("compass"),
    (all) => all.length === 1,
  );
  await attempt(
    "a collection is described",
    () => service.collectionInfo("compass", "things"),
    (info) => info.validation.validator.n !== undefined,
  );
  await attempt(
    "a collection's statistics",
    () => service.collectionStats("compass", "things", "collection"),
    (s) => s.document_count === 501,
  );
  await attempt(
    "a database's statistics",
    () => service.databaseStats("compass"),
    (s) => s.document_count === 501,
  );
  await attempt(
    "documents are estimated",
    () => service.estimatedCount(ns),
    (count) => count === 501,
  );
  await attempt(
    "documents are counted",
    () => service.count(ns, { even: true }),
    (count) => count === 250,
  );
  await attempt(
    "documents are found in order",
    () => service.find(ns, { n: { $gt: 10 } }, { sort: { n: -1 }, limit: 3 }),
    (found) => found[0].n === 500,
  );
  await attempt(
    "a schema sample",
    () => service.sample(ns, { size: 50 }),
    (found) => found.length === 50,
  );
  await attempt(
    "an index is made",
    () => service.createIndex(ns, { n: 1 }, { name: "by_n" }),
    (name) => name === "by_n",
  );
  await attempt(
    "indexes with their use and size",
    () => service.indexes(ns),
    (all) => all.some(({ name, size }) => name === "by_n" && size > 0),
  );
  await attempt(
    "a query is explained",
    () => service.explainFind(ns, { n: 5 }, {}, { explainVerbosity: "executionStats" }),
    (e) => JSON.stringify(e).includes("IXSCAN"),
  );
  await attempt(
    "a pipeline is explained",
    () => service.explainAggregate(ns, [{ $match: { n: 5 } }], {}, {}),
    (e) => JSON.stringify(e).includes("IXSCAN"),
  );
  await attempt(
    "a pipeline runs",
    () => service.aggregate(ns, [{ $group: { _id: "$even", n: { $sum: 1 } } }, { $sort: { _id: 1 } }]),
    (r) => r.length === 3,
  );
  await attempt(
    "a document is changed and answered",
    () => service.findOneAndUpdate(ns, { _id: 1 }, { $set: { n: 99 } }, { returnDocument: "after" }),
    (r) => r.n === 99,
  );
  await attempt(
    "a document is replaced",
    () => service.replaceOne(ns, { _id: 2 }, { n: 5 }),
    (r) => r.modifiedCount === 1,
  );
  await attempt(
    "an update is previewed and not kept",
    async () => {
      const preview = await service.previewUpdate(ns, { _id: 3 }, { $set: { n: 1000 } });
      const [kept] = await service.find(ns, { _id: 3 });
      return [preview.changes[0].after.n, kept.n];
    },
    ([shown, kept]) => Number(shown) === 1000 && Number(kept) === 3,
  );
  await attempt(
    "a bulk write",
    () => service.bulkWrite(ns, [{ deleteOne: { filter: { _id: 4 } } }], {}),
    (r) => r.deletedCount === 1,
  );
  await attempt(
    "many are deleted",
    () => service.deleteMany(ns, { even: true }),
    (r) => r.deletedCount > 200,
  );
  await attempt(
    "a view is made and read",
    async () => {
      await service.createView("odd", ns, [{ $match: { even: false } }], {});
      return service.find("compass.odd", {}, { limit: 5 });
    },
    (found) => found.length === 5,
  );
  await attempt("a collection is renamed", () => service.renameCollection(ns, "renamed"));
  await attempt(
    "rules are changed",
    () => service.updateCollection("compass.renamed", { validator: {} }),
    (r) => r.ok === 1,
  );
  await attempt(
    "search indexes are said not to be there",
    () => service.isListSearchIndexesSupported("compass.renamed"),
    (supported) => supported === false,
  );
  await attempt(
    "an index is dropped",
    () => service.dropIndex("compass.renamed", "by_n"),
    (r) => r.ok === 1,
  );
  await attempt("a collection is dropped", () => service.dropCollection("compass.renamed"), Boolean);
  await attempt("a database is dropped", () => service.dropDatabase("compass"), Boolean);
  await service.disconnect();
  process.exit(failed ? 1 : 0);
}

main().catch((error) => {
  console.log(`FAIL connect: ${error.message}`);
  process.exit(1);
});
