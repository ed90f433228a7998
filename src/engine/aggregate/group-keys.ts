import { compareNumbers, toNumber } from "../bson/numbers.ts";
import { bsonType, isNumberType } from "../bson/types.ts";
import { doubleValue, numberOf, type Value } from "../bson/value.ts";
import type { ExpressionContext } from "./context.ts";

/** What belongs to values, equal ones to one. Small numbers and texts, which most groups go by, are found without making a key. */
export class GroupKeys<Held> {
  readonly #byNumber = new Map<number, Held>();
  readonly #byText = new Map<string, Held>();
  readonly #byKey = new Map<string, Held>();
  readonly #held: Held[] = [];
  readonly #keyText: (value: Value) => string;
  /** Texts that a collation holds to be equal are not the same bytes. */
  readonly #plainText: boolean;

  constructor({ keyText, collation }: ExpressionContext) {
    this.#keyText = keyText;
    this.#plainText = collation === undefined;
  }

  get(value: Value): Held | undefined {
    const number = plainNumber(value);
    if (number !== undefined) return this.#byNumber.get(number);
    if (this.#isPlainText(value)) return this.#byText.get(rawText(value));
    return this.#byKey.get(this.#keyText(value));
  }

  /** Answers how many bytes the key is counted with. */
  add(value: Value, held: Held): number {
    this.#held.push(held);
    const number = plainNumber(value);
    if (number !== undefined) {
      this.#byNumber.set(number, held);
      return 32;
    }
    const isText = this.#isPlainText(value);
    const key = isText ? rawText(value) : this.#keyText(value);
    (isText ? this.#byText : this.#byKey).set(key, held);
    return 32 + key.length * 2;
  }

  /** In the order they came. */
  values(): readonly Held[] {
    return this.#held;
  }

  #isPlainText(value: Value): boolean {
    return this.#plainText && value.type === bsonType.string;
  }
}

/** A number that is the same in a double whatever its type; others go by their key. */
function plainNumber(value: Value): number | undefined {
  if (value.type === bsonType.int) return numberOf(value);
  if (!isNumberType(value.type)) return undefined;
  const number = toNumber(value);
  if (!Number.isSafeInteger(number)) return undefined;
  // A decimal may lie beside the whole number that its double is.
  if (value.type === bsonType.decimal && compareNumbers(value, doubleValue(number)) !== 0) return undefined;
  return number + 0;
}

function rawText(value: Value): string {
  return Buffer.prototype.latin1Slice.call(value.source, value.start + 4, value.end - 1);
}
