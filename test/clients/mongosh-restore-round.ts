// With mongosh and the API alone: insert, snapshot, drop, restore, and the documents are back byte for byte. Prints `ok <name>` or `FAIL <name>`.
// TELAMON_CREDENTIALS: path of the demo's credentials.json. MONGOSH: the binary.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { apiCaller, type Credentials, restoreSnapshot, takeSnapshot } from "../support/telamon-process.ts";

const credentials = JSON.parse(readFileSync(process.env.TELAMON_CREDENTIALS ?? "", "utf8")) as Credentials;
const { demo, groupId } = credentials;
if (demo === undefined) throw new Error("the server has no demo");
const caller = await apiCaller(credentials);
const instance = `/api/atlas/v2/groups/${groupId}/serverless/${demo.instance}`;
let failed = false;

const things = 'db.getSiblingDB("round").things';
/** Every document as Extended JSON that tells all types apart, in order. */
const show = `EJSON.stringify({documents: ${things}.find().sort({_id: 1}).toArray(), indexes: ${things}.getIndexes()}, {relaxed: false})`;

shell(
  `${things}.drop(); ${things}.insertMany([
     {_id: 1, long: NumberLong("9007199254740993"), decimal: NumberDecimal("1.10"), zero: -0, int: NumberInt(3), nan: NaN, when: new Date(0)},
     {_id: "two", z: 1, a: {"2": "b", "1": "a"}, bytes: BinData(4, "AAECAwQFBgcICQoLDA0ODw=="), expression: /^a.*b$/i, min: MinKey(), max: MaxKey()},
     {_id: ObjectId("0123456789abcdef01234567"), time: Timestamp(5, 6), nothing: null, list: [1, [2, {three: 3}], []]}]);
   ${things}.createIndex({z: 1}, {unique: true, sparse: true})`,
);
const before = shell(`print(${show})`);
const snapshot = await takeSnapshot(caller, instance);
expect("the snapshot is completed", snapshot.status === "completed");
shell(`${things}.drop()`);
expect("the collection is gone after the drop", shell(`print(${things}.countDocuments({}))`) === "0");
const restored = await restoreSnapshot(caller, instance, {
  snapshotId: snapshot.id,
  targetClusterName: demo.instance,
  targetGroupId: groupId,
});
expect("the restore job has finished and not failed", !restored.failed);
const after = shell(`print(${show})`);
expect(
  "after the restore every document and index is as it was",
  after === before && before.includes("9007199254740993"),
);
process.exit(failed ? 1 : 0);

function shell(script: string): string {
  const result = spawnSync(
    process.env.MONGOSH ?? "mongosh",
    ["--quiet", "--norc", demo?.connectionString ?? "", "--eval", script],
    { encoding: "utf8" },
  );
  if (result.status !== 0) throw new Error(`mongosh: ${result.stdout}${result.stderr}`);
  return result.stdout.trim();
}

function expect(name: string, holds: boolean): void {
  failed ||= !holds;
  console.log(`${holds ? "ok" : "FAIL"} ${name}`);
}
