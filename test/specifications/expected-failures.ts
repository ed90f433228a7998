/** Tests that do not pass, or are not run, and why. A test that fails and is not here is a fault, and so is one that is here and passes. */
export interface ExpectedFailure {
  readonly reason: string;
  /** Not run at all; left out, they are run and must fail. */
  readonly skip?: boolean;
  /** Descriptions by file, or all of a file, or all of an area. */
  readonly tests: Readonly<Record<string, readonly string[] | "all">>;
}

const notInDriver: readonly ExpectedFailure[] = [
  {
    reason: "the driver does not send a bypassDocumentValidation of false",
    tests: {
      "crud/bypassDocumentValidation": [
        "BulkWrite passes bypassDocumentValidation: false",
        "FindOneAndReplace passes bypassDocumentValidation: false",
        "FindOneAndUpdate passes bypassDocumentValidation: false",
        "InsertMany passes bypassDocumentValidation: false",
        "Aggregate with $out passes bypassDocumentValidation: false",
      ],
    },
  },
  {
    reason: "the driver puts an ObjectId where _id is null",
    tests: {
      "crud/create-null-ids": [
        "inserting _id with type null via bulkWrite",
        "inserting _id with type null via clientBulkWrite",
        "inserting _id with type null via insertMany",
        "inserting _id with type null via insertOne",
      ],
    },
  },
  {
    reason: "the driver has no such operation",
    tests: {
      "gridfs/deleteByName": ["delete when multiple revisions of the file exist"],
      "gridfs/renameByName": ["rename when multiple revisions of the file exist"],
      "read-write-concern/operation/default-write-concern-3.4": ["MapReduce omits default write concern"],
      "retryable-reads/listCollectionObjects": "all",
      "retryable-reads/listCollectionObjects-serverErrors": "all",
      "retryable-reads/listDatabaseObjects": "all",
      "retryable-reads/listDatabaseObjects-serverErrors": "all",
      "retryable-reads/mapReduce": "all",
    },
  },
  {
    reason: "the driver does not notice a missing last chunk",
    tests: { "gridfs/download": ["download when final chunk is missing"] },
  },
  {
    reason: "the driver's results of updates have a didUpsert, which the tests do not expect",
    tests: {
      "crud/client-bulkWrite-mixed-namespaces": ["client bulkWrite with mixed namespaces"],
      "crud/client-bulkWrite-options": ["client bulkWrite let"],
      "crud/client-bulkWrite-results": ["client bulkWrite with verboseResults: true returns detailed results"],
      "crud/client-bulkWrite-update-options": ["arrayFilters", "collation", "hint", "upsert"].map(
        (option) => `client bulkWrite update with ${option}`,
      ),
      "crud/client-bulkWrite-update-pipeline": [
        "client bulkWrite updateMany with pipeline",
        "client bulkWrite updateOne with pipeline",
      ],
      "retryable-writes/client-bulkWrite-serverErrors": [
        "client bulkWrite with no multi: true operations succeeds after retryable top-level error",
        "client bulkWrite with no multi: true operations succeeds after retryable writeConcernError",
      ],
    },
  },
  {
    reason: "the driver gives a partial result also where nothing went through",
    tests: {
      "crud/client-bulkWrite-partialResults": [
        "partialResult is unset when all operations fail during an unordered bulk write",
        "partialResult is unset when first operation fails during an ordered bulk write (summary)",
        "partialResult is unset when first operation fails during an ordered bulk write (verbose)",
      ],
    },
  },
  {
    reason: "the driver's error of a bulk write names documents that were not inserted",
    tests: { "retryable-writes/bulkWrite": ["First insertOne is never committed"] },
  },
  {
    reason: "the driver asks for the file's id with $eq",
    tests: { "retryable-reads/gridfs-download": "all", "retryable-reads/gridfs-download-serverErrors": "all" },
  },
];

const notInServer: readonly ExpectedFailure[] = [
  {
    reason: "pre- and post-images are not kept",
    tests: {
      "change-streams/change-streams-pre_and_post_images": "all",
      "collection-management/createCollection-pre_and_post_images": [
        "createCollection with changeStreamPreAndPostImages enabled",
      ],
      "collection-management/modifyCollection-pre_and_post_images": [
        "modifyCollection to changeStreamPreAndPostImages enabled",
      ],
    },
  },
  {
    reason: "clustered collections are not supported",
    tests: {
      "collection-management/clustered-indexes": [
        "createCollection with clusteredIndex",
        "listCollections includes clusteredIndex",
        "listIndexes returns the index",
      ],
    },
  },
  {
    reason: "time series collections are not supported",
    tests: {
      "collection-management/timeseries-collection": [
        "createCollection with all options",
        "createCollection with bucketing options",
        "insertMany with duplicate ids",
      ],
    },
  },
];

/** Of transactions and of cursors that stay open. */
const inTransactions: readonly ExpectedFailure[] = [
  {
    reason: "the driver sends a wtimeout of its own with the write concern that ends a transaction",
    tests: {
      "transactions/delete": ["collection writeConcern ignored for delete"],
      "transactions/error-labels-errorLabels": [
        "add RetryableWriteError and UnknownTransactionCommitResult labels to writeConcernError ShutdownInProgress",
      ],
      "transactions/error-labels": [
        "add UnknownTransactionCommitResult label to writeConcernError WriteConcernTimeout",
        "add UnknownTransactionCommitResult label to writeConcernError WriteConcernTimeout with wtimeout",
        "omit UnknownTransactionCommitResult label from writeConcernError UnsatisfiableWriteConcern",
        "omit UnknownTransactionCommitResult label from writeConcernError UnknownReplWriteConcern",
        "add UnknownTransactionCommitResult label to MaxTimeMSExpired",
        "add UnknownTransactionCommitResult label to writeConcernError MaxTimeMSExpired",
      ],
      "transactions/findOneAndDelete": ["collection writeConcern ignored for findOneAndDelete"],
      "transactions/findOneAndReplace": ["collection writeConcern ignored for findOneAndReplace"],
      "transactions/findOneAndUpdate": ["collection writeConcern ignored for findOneAndUpdate"],
      "transactions/insert": ["collection writeConcern ignored for insert"],
      "transactions/retryable-abort-errorLabels": [
        "abortTransaction succeeds after WriteConcernError InterruptedAtShutdown",
        "abortTransaction succeeds after WriteConcernError InterruptedDueToReplStateChange",
        "abortTransaction succeeds after WriteConcernError PrimarySteppedDown",
        "abortTransaction succeeds after WriteConcernError ShutdownInProgress",
      ],
      "transactions/retryable-abort": ["abortTransaction does not retry after WriteConcernError Interrupted"],
      "transactions/retryable-commit-errorLabels": [
        "commitTransaction succeeds after WriteConcernError InterruptedAtShutdown",
        "commitTransaction succeeds after WriteConcernError InterruptedDueToReplStateChange",
        "commitTransaction succeeds after WriteConcernError PrimarySteppedDown",
        "commitTransaction succeeds after WriteConcernError ShutdownInProgress",
      ],
      "transactions/retryable-commit": ["commitTransaction is not retried after UnsatisfiableWriteConcern error"],
      "transactions/transaction-options": [
        "transaction options inherited from defaultTransactionOptions",
        "startTransaction options override defaults",
        "defaultTransactionOptions override client options",
        "readConcern local in defaultTransactionOptions",
        "client writeConcern ignored for bulk",
      ],
      "transactions/update": ["collections writeConcern ignored for update"],
      "transactions/write-concern": ["commit with majority", "abort with majority"],
      "transactions-convenient-api/transaction-options": [
        "withTransaction inherits transaction options from client",
        "withTransaction inherits transaction options from defaultTransactionOptions",
        "withTransaction explicit transaction options",
        "withTransaction explicit transaction options override defaultTransactionOptions",
        "withTransaction explicit transaction options override client options",
      ],
    },
  },
  {
    reason: "there is no secondary to select",
    tests: {
      "transactions/run-command": [
        "run command with secondary read preference in client option and primary read preference in transaction options",
      ],
      "transactions/transaction-options": ["readPreference inherited from client"],
    },
  },
  {
    reason: "the driver adds afterClusterTime to the first read concern",
    tests: {
      "transactions/transaction-options": ["transaction options inherited from client"],
    },
  },
  {
    reason: "the driver's results of a bulk, and its own write concern and wtimeout in a transaction",
    tests: {
      "transactions/client-bulkWrite": [
        "client bulkWrite in a transaction",
        "client writeConcern ignored for client bulkWrite in transaction",
        "client bulkWrite with writeConcern in a transaction causes a transaction error",
      ],
    },
  },
];

export const expectedFailures: readonly ExpectedFailure[] = [...notInDriver, ...notInServer, ...inTransactions];
