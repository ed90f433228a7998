import {
  bsonType,
  EngineError,
  elementsOf,
  fieldsOf,
  isNumberType,
  isTruthy,
  textOf,
  toNumber,
  typeName,
  type Value,
  wholeNumberOf,
} from "../engine/index.ts";

/** Fields any command may have (manual, "Database Commands"); what they mean is seen to before the command runs, or is of no effect here. */
const generic = new Set([
  "$db",
  "lsid",
  "txnNumber",
  "$clusterTime",
  "$readPreference",
  "readConcern",
  "writeConcern",
  "apiVersion",
  "apiStrict",
  "apiDeprecationErrors",
  "comment",
  "maxTimeMS",
  "autocommit",
  "startTransaction",
  "$audit",
  "$client",
  "$configServerState",
  "$oplogQueryData",
  "mayBypassWriteBlocking",
  "clientOperationKey",
  "rawData",
]);

/** The fields of a command, read by name; whatever is not read is not known and refused. */
export class Parameters {
  readonly command: string;
  /** The whole document. */
  readonly body: Uint8Array;
  readonly #values = new Map<string, Value>();
  readonly #sequences: ReadonlyMap<string, readonly Uint8Array[]>;
  readonly #read = new Set<string>();
  readonly #sequencesRead = new Set<string>();

  /** Throws 40413 for a field given twice. */
  constructor(command: string, body: Uint8Array, sequences: ReadonlyMap<string, readonly Uint8Array[]>) {
    this.command = command;
    this.body = body;
    this.#sequences = sequences;
    for (const { name, value } of fieldsOf(body)) {
      if (this.#values.has(name) || sequences.has(name))
        throw new EngineError(40_413, "Location40413", `BSON field '${command}.${name}' is a duplicate field`);
      this.#values.set(name, value);
    }
    this.#read.add(command);
  }

  /** The fields of a document within a command, by the name its errors shall give it. */
  static within(name: string, document: Uint8Array): Parameters {
    return new Parameters(name, document, new Map());
  }

  /** The raw value. */
  get(name: string): Value | undefined {
    this.#read.add(name);
    const value = this.#values.get(name);
    return value?.type === bsonType.null ? undefined : value;
  }

  /** Value of the command's own field. */
  get main(): Value {
    return this.#values.get(this.command) as Value;
  }

  text(name: string): string | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (value.type !== bsonType.string) throw this.#wrongType(name, value, "string");
    return textOf(value);
  }

  requiredText(name: string): string {
    return this.text(name) ?? this.#missing(name);
  }

  /** Name of a collection in the command's own field. */
  collection(): string {
    if (this.main.type !== bsonType.string)
      throw new EngineError(73, "InvalidNamespace", `collection name has invalid type ${typeName(this.main.type)}`);
    const name = textOf(this.main);
    if (name === "")
      throw new EngineError(
        73,
        "InvalidNamespace",
        `Invalid namespace specified: the collection name of '${this.command}' is empty`,
      );
    return name;
  }

  document(name: string): Uint8Array | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (value.type !== bsonType.object) throw this.#wrongType(name, value, "object");
    return value.bytes();
  }

  flag(name: string, otherwise: boolean = false): boolean {
    const value = this.get(name);
    if (value === undefined) return otherwise;
    if (value.type !== bsonType.bool && !isNumberType(value.type)) throw this.#wrongType(name, value, "bool");
    return isTruthy(value);
  }

  /** A whole number not below `least`. */
  whole(name: string, least: number): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    if (!isNumberType(value.type)) throw this.#wrongType(name, value, "long");
    const number = wholeNumberOf(value) ?? Math.trunc(toNumber(value));
    if (!Number.isSafeInteger(number) || number < least) {
      throw new EngineError(
        51_024,
        "Location51024",
        `BSON field '${name}' value must be >= ${least}, actual value '${number}'`,
      );
    }
    return number;
  }

  /** Documents given in an array of the body, or beside it. */
  documents(name: string): readonly Uint8Array[] | undefined {
    const beside = this.#sequences.get(name);
    this.#sequencesRead.add(name);
    const value = this.get(name);
    if (beside !== undefined) return beside;
    if (value === undefined) return undefined;
    if (value.type !== bsonType.array) throw this.#wrongType(name, value, "array");
    return elementsOf(value).map((element) => {
      if (element.type !== bsonType.object) throw this.#wrongType(name, element, "object");
      return element.bytes();
    });
  }

  requiredDocuments(name: string): readonly Uint8Array[] {
    return this.documents(name) ?? this.#missing(name);
  }

  /** Options that are of no effect on the answer here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  /** Options that would change the answer and are not supported: refused when given and not off. */
  refuse(...names: readonly string[]): void {
    for (const name of names) {
      const value = this.get(name);
      if (value === undefined || (value.type === bsonType.bool && !isTruthy(value))) continue;
      throw new EngineError(
        238,
        "NotImplemented",
        `'${name}' of the command '${this.command}' is not supported by this server`,
      );
    }
  }

  /** Fields that nobody read and that no command has. */
  rest(): readonly (readonly [string, Value])[] {
    return [...this.#values].filter(([name]) => !this.#read.has(name) && !generic.has(name));
  }

  /** Throws 40415 for a field that nobody read. */
  rejectUnknown(): void {
    for (const name of this.#values.keys()) if (!this.#read.has(name) && !generic.has(name)) throw this.#unknown(name);
    for (const name of this.#sequences.keys()) if (!this.#sequencesRead.has(name)) throw this.#unknown(name);
  }

  #unknown(name: string): EngineError {
    return new EngineError(40_415, "Location40415", `BSON field '${this.command}.${name}' is an unknown field.`);
  }

  #wrongType(name: string, value: Value, expected: string): EngineError {
    return new EngineError(
      14,
      "TypeMismatch",
      `BSON field '${this.command}.${name}' is the wrong type '${typeName(value.type)}', expected type '${expected}'`,
    );
  }

  #missing(name: string): never {
    throw new EngineError(
      40_414,
      "Location40414",
      `BSON field '${this.command}.${name}' is missing but a required field`,
    );
  }
}
