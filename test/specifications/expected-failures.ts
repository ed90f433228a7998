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
    reason: "the driver has no such operation",
    tests: {
      "gridfs/deleteByName": ["delete when multiple revisions of the file exist"],
      "gridfs/renameByName": ["rename when multiple revisions of the file exist"],
      "read-write-concern/operation/default-write-concern-3.4": ["MapReduce omits default write concern"],
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
    reason: "the driver leaves out a write concern given in a transaction, and does not refuse it",
    tests: {
      "transactions/client-bulkWrite": [
        "client bulkWrite with writeConcern in a transaction causes a transaction error",
      ],
    },
  },
  {
    reason: "the driver connects only to a member that its read preference selects, and there is no secondary",
    skip: true,
    tests: {
      "transactions/run-command": [
        "run command with secondary read preference in client option and primary read preference in transaction options",
      ],
      "transactions/transaction-options": ["readPreference inherited from client"],
    },
  },
];

const notInServer: readonly ExpectedFailure[] = [
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

export const expectedFailures: readonly ExpectedFailure[] = [...notInDriver, ...notInServer];
