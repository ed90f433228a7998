// What an application does with mongoose, against the database of the demo: the connection string is the first argument.
import mongoose from "mongoose";

let failed = false;
function expect(name, condition) {
  failed ||= !condition;
  console.log(`${condition ? "ok" : "FAIL"} ${name}`);
}

await mongoose.connect(process.argv[2], { dbName: "mongoose", autoIndex: false, serverSelectionTimeoutMS: 5000 });
await mongoose.connection.dropDatabase();
const Author = mongoose.model("Author", new mongoose.Schema({ name: { type: String, required: true } }));
const bookSchema = new mongoose.Schema(
  {
    title: { type: String, unique: true },
    price: mongoose.Schema.Types.Decimal128,
    pages: { type: Number, min: 1 },
    tags: [String],
    author: { type: mongoose.Schema.Types.ObjectId, ref: "Author" },
    chapters: [{ name: String, pages: Number }],
  },
  { timestamps: true, optimisticConcurrency: true },
);
const Book = mongoose.model("Book", bookSchema);
await Book.createIndexes();
expect(
  "indexes of a schema are made",
  (await Book.listIndexes()).some(({ key, unique }) => key.title === 1 && unique),
);

const author = await Author.create({ name: "Vitruvius" });
const book = await Book.create({
  title: "De architectura",
  price: "19.90",
  pages: 10,
  tags: ["columns"],
  author: author._id,
  chapters: [{ name: "I", pages: 3 }],
});
const found = await Book.findOne({ title: "De architectura" }).populate("author");
expect("a document is found with what it refers to", found.author.name === "Vitruvius");
expect("types of a schema are kept", String(found.price) === "19.90" && found.createdAt instanceof Date);

found.tags.push("orders");
found.chapters.push({ name: "II", pages: 4 });
found.chapters.id(book.chapters[0]._id).pages = 5;
await found.save();
const saved = await Book.findById(book._id).lean();
expect(
  "changes of arrays and of documents in them are saved",
  saved.tags.length === 2 && saved.chapters[0].pages === 5,
);

const stale = await Book.findById(book._id);
await Book.findById(book._id).then((fresh) => fresh.set("pages", 11).save());
stale.pages = 12;
const refused = await stale.save().catch((error) => error);
expect("a version that is old is not saved", refused.name === "VersionError");
const twice = await Book.create({ title: "De architectura" }).catch((error) => error);
expect("a unique index holds", twice.code === 11000);
expect(
  "validation keeps out what is wrong",
  (await Author.create({}).catch((error) => error)).name === "ValidationError",
);

await Book.insertMany(
  Array.from({ length: 50 }, (_, n) => ({ title: `Book ${n}`, pages: n + 1, tags: [`t${n % 3}`] })),
);
expect("counts", (await Book.countDocuments({ pages: { $gt: 40 } })) === 10);
const pages = [];
for await (const one of Book.find({ title: /^Book/ }).sort({ pages: -1 }).limit(3).cursor()) pages.push(one.pages);
expect("cursors, patterns and order", pages.join() === "50,49,48");
const sums = await Book.aggregate()
  .unwind("tags")
  .group({ _id: "$tags", count: { $sum: 1 } })
  .sort("_id");
expect("aggregations", sums.find(({ _id }) => _id === "t0").count === 17);
const upserted = await Book.findOneAndUpdate(
  { title: "New" },
  { $inc: { pages: 2 } },
  { upsert: true, returnDocument: "after" },
);
expect("an upsert answers what it made", upserted.pages === 2 && upserted.updatedAt instanceof Date);
const bulk = await Book.bulkWrite([
  { updateMany: { filter: { pages: { $lt: 5 } }, update: { $set: { tags: [] } } } },
  { deleteOne: { filter: { title: "Book 9" } } },
]);
expect("bulk writes", bulk.modifiedCount === 5 && bulk.deletedCount === 1);
const stream = Book.watch([{ $match: { operationType: "insert" } }]);
const told = [];
stream.on("change", (change) => told.push(change));
// Nothing tells when the stream has begun, so there is something to see until it sees it.
for (let n = 0; n < 200 && told.length === 0; n += 1) {
  await Book.create({ title: `Watched ${n}` });
  await new Promise((fulfil) => setTimeout(fulfil, 20));
}
expect("a model is watched", told[0]?.fullDocument.title.startsWith("Watched"));
await stream.close();
await mongoose.connection.dropDatabase();
expect("a database is dropped", (await mongoose.connection.listCollections()).length === 0);
await mongoose.disconnect();
process.exitCode = failed ? 1 : 0;
