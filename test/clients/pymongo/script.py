"""What an application does with PyMongo, against the database of the demo: the connection string is the first argument."""

import datetime
import sys

from bson import encode, Binary, Decimal128, Int64, ObjectId, Regex, Timestamp
from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING, DESCENDING, DeleteOne, InsertOne, MongoClient, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, ExecutionTimeout

failures = 0


def check(promise, held):
    global failures
    failures += 0 if held else 1
    print(("ok " if held else "FAIL ") + promise)


def main():
    client = MongoClient(sys.argv[1], compressors="zlib", serverSelectionTimeoutMS=5000)
    database = client["pymongo"]
    things = database["things"]
    things.drop()
    kinds = {
        "_id": ObjectId(),
        "b": True,
        "a": [1, 2.0, Int64(3)],
        "10": None,
        "1": Decimal128("1.10"),
        "date": datetime.datetime(2026, 1, 2, 3, 4, 5, 678000),
        "bytes": Binary(b"\x00\x01", 5),
        "pattern": Regex("^a", "i"),
        "stamp": Timestamp(5, 6),
        "zero": -0.0,
    }
    things.insert_one(kinds)
    raw = database.get_collection("things", things.codec_options.with_options(document_class=RawBSONDocument))
    check("every type and the order of fields are kept", raw.find_one({"_id": kinds["_id"]}).raw == encode(kinds))

    things.delete_many({})
    things.insert_many([{"_id": n, "n": n, "group": n % 3} for n in range(1000)])
    check("a cursor reads on past its first batch", sum(1 for _ in things.find(batch_size=50)) == 1000)
    check("sort, skip and limit", [d["n"] for d in things.find().sort("n", DESCENDING).skip(2).limit(2)] == [997, 996])
    check("counts", things.count_documents({"group": 1}) == 333 and things.estimated_document_count() == 1000)
    check("distinct", things.distinct("group") == [0, 1, 2])
    groups = list(things.aggregate([{"$group": {"_id": "$group", "sum": {"$sum": "$n"}}}, {"$sort": {"_id": 1}}]))
    check("aggregate", [g["sum"] for g in groups] == [166833, 166167, 166500])

    result = things.bulk_write([InsertOne({"_id": 2000}), UpdateOne({"_id": 1}, {"$inc": {"n": 5}}), DeleteOne({"_id": 2})])
    check("bulk_write", (result.inserted_count, result.modified_count, result.deleted_count) == (1, 1, 1))
    changed = things.find_one_and_update({"_id": 1}, {"$set": {"x": 1}}, return_document=ReturnDocument.AFTER)
    check("find_one_and_update", changed == {"_id": 1, "n": 6, "group": 1, "x": 1})
    try:
        things.insert_many([{"_id": 1}, {"_id": 3000}], ordered=False)
        check("a duplicate key is told", False)
    except BulkWriteError as error:
        check("a duplicate key is told", error.details["writeErrors"][0]["code"] == 11000 and error.details["nInserted"] == 1)

    things.create_index([("email", ASCENDING)], unique=True, sparse=True, name="email")
    things.insert_one({"_id": 4000, "email": "a@example.com"})
    try:
        things.insert_one({"_id": 4001, "email": "a@example.com"})
        check("a unique index holds", False)
    except DuplicateKeyError:
        check("a unique index holds", True)
    check("index_information", things.index_information()["email"]["unique"] is True)

    try:
        list(things.find({"$expr": {"$gt": [{"$sum": {"$range": [0, {"$add": ["$n", 100000]}]}}, -1]}}).max_time_ms(1))
        check("max_time_ms stops a query", False)
    except ExecutionTimeout:
        check("max_time_ms stops a query", True)

    with client.start_session(snapshot=True) as session:
        before = things.count_documents({}, session=session)
        things.insert_one({"_id": 5000})
        check("a snapshot session reads one time", things.count_documents({}, session=session) == before)
    with client.start_session(causal_consistency=True) as session:
        things.update_one({"_id": 5000}, {"$set": {"seen": True}}, session=session)
        check("a causal session reads its own write", things.find_one({"_id": 5000}, session=session)["seen"] is True)
    with things.watch(full_document="updateLookup") as stream:
        things.update_one({"_id": 5000}, {"$set": {"watched.once": True}})
        change = next(stream)
        check(
            "a collection is watched",
            change["updateDescription"]["updatedFields"] == {"watched": {"once": True}}
            and change["fullDocument"]["watched"] == {"once": True},
        )
        things.insert_one({"_id": 6000})
    with things.watch(resume_after=change["_id"]) as stream:
        check("a stream is resumed", next(stream)["documentKey"] == {"_id": 6000})
    check("list_collection_names", "things" in database.list_collection_names())
    check("command(dbStats)", database.command("dbStats")["collections"] == 1)
    client.drop_database("pymongo")
    check("drop_database", "pymongo" not in client.list_database_names())


main()
sys.exit(1 if failures else 0)
