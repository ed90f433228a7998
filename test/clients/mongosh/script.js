// Run by mongosh with the demo's connection string. Prints `ok <name>` or `FAIL <name>`, and quits with 1 when one failed.
/* global db, print, quit, NumberLong, NumberInt, NumberDecimal */
let failed = false;
function expect(name, condition) {
  failed ||= !condition;
  print(`${condition ? "ok" : "FAIL"} ${name}`);
}

expect(
  "the demo's database is listed",
  db.adminCommand({ listDatabases: 1 }).databases.some(({ name }) => name === "sample_shop"),
);
const things = db.getSiblingDB("shell").things;
things.drop();
things.insertMany([
  {
    _id: 1,
    long: NumberLong("9007199254740993"),
    decimal: NumberDecimal("1.10"),
    zero: -0,
    int: NumberInt(3),
    when: new Date(0),
  },
  { _id: 2, nested: { list: [1, { deep: true }] } },
]);
expect("documents are found by a condition", things.find({ long: { $gt: 1 } }).toArray().length === 1);
expect("a decimal keeps its digits", String(things.findOne({ _id: 1 }).decimal) === "1.10");
expect("documents are counted", things.countDocuments({}) === 2);
expect("an update changes one", things.updateOne({ _id: 2 }, { $push: { "nested.list": 5 } }).modifiedCount === 1);
expect("an index is made and listed", things.createIndex({ int: 1 }) === "int_1" && things.getIndexes().length === 2);
expect("a pipeline groups", things.aggregate([{ $group: { _id: null, n: { $sum: 1 } } }]).toArray()[0].n === 2);
expect("the set has a primary", db.adminCommand({ replSetGetStatus: 1 }).myState === 1);
quit(failed ? 1 : 0);
