// Run by mongosh with the demo's connection string. Prints `ok <name>` or `FAIL <name>`, and quits with 1 when one failed.
/* global db, rs, show, print, quit, NumberLong, NumberInt, NumberDecimal */
let failed = false;
function expect(name, condition) {
  failed ||= !condition;
  print(`${condition ? "ok" : "FAIL"} ${name}`);
}

/** Whether something is refused by an error of the server. */
function refused(run) {
  try {
    run();
    return false;
  } catch (error) {
    return error.codeName !== undefined && error.message.length > 0;
  }
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
const shell = db.getSiblingDB("shell");
const admin = db.getSiblingDB("admin");
expect(
  "show dbs",
  show("dbs").value.some(({ name }) => name === "shell"),
);
expect("show collections", shell.getCollectionNames().includes("things"));
shell.createView("view", "things", [{ $match: { int: 3 } }]);
const stats = shell.stats();
expect("db.stats()", [stats.collections, stats.views, stats.objects].join() === "1,1,2");
expect("collection.stats()", things.stats().count === 2 && things.stats().nindexes === 2);
expect("collection.dataSize() and its like", things.dataSize() > 0 && things.totalIndexSize() > 0);
expect("rs.status()", rs.status().myState === 1 && rs.status().members[0].stateStr === "PRIMARY");
expect("rs.conf()", rs.conf().members.length === 1 && rs.conf()._id === rs.status().set);
expect("rs.hello() and db.hello()", rs.hello().isWritablePrimary && db.hello().maxBsonObjectSize === 16777216);
expect(
  "db.currentOp()",
  admin.currentOp().inprog.some(({ command }) => command !== undefined),
);
expect("db.killOp() of what does not run", admin.killOp(2147483000).ok === 1);
expect("db.serverStatus()", db.serverStatus().connections.current > 0 && db.serverStatus().opcounters.insert > 0);
expect("db.version()", db.version() === db.serverBuildInfo().version);
expect("db.hostInfo()", admin.hostInfo().system.numCores > 0);
expect("db.getUsers()", admin.getUsers().users.length > 0);
expect("explain() of a find", things.find({ int: 3 }).explain().queryPlanner.winningPlan.inputStage.stage === "IXSCAN");
expect("explain() of a pipeline", things.explain().aggregate([{ $match: { int: 3 } }]).ok === 1);
const stream = shell.watch();
things.updateOne({ int: 3 }, { $set: { int: 3, "watched.yes": true } });
const seen = stream.next();
expect("db.watch()", seen.operationType === "update" && seen.ns.coll === "things");
stream.close();
expect("validate()", things.validate().valid === true);
expect("renameCollection()", things.renameCollection("renamed").ok === 1 && shell.renamed.countDocuments() === 2);
expect(
  "createUser is refused, with the reason",
  refused(() => shell.createUser({ user: "a", pwd: "b", roles: [] })),
);
expect("dropDatabase()", shell.dropDatabase().ok === 1);
quit(failed ? 1 : 0);
