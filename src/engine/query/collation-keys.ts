/** Order of two texts, negative, 0 or positive. */
type CompareText = (one: string, other: string) => number;

/** What keys depend on: the form they have here, and the data of ICU. */
export const collationKeysVersion: string = `1 ${process.versions["icu"] ?? ""} ${process.versions["cldr"] ?? ""}`;

/** Texts longer than this in base letters share a key with those that begin alike. */
const lettersMax = 64;

/** Texts whose keys are remembered, and how long they may be. */
const knownMax = 4096;
const knownLengthMax = 256;

/** Above every text with the same beginning: Unicode gives this character the highest place (UTS 35, "Collation Elements"). */
const highest = "\uffff";

/**
 * Keys of texts under a collation, for indexes: texts that are equal have one key, and most that differ in more than accents or case have others. `Intl` gives no sort
 * keys, but what a fixed procedure finds out by comparisons alone must be the same for texts that compare equal to everything alike: the key is the longest row of base
 * letters that does not come behind the text, found one letter at a time by comparing at the first strength.
 */
export class CollationKeys {
  readonly #compare: CompareText;
  readonly #letters: readonly string[];
  #allLetters: readonly string[] | undefined;
  /** Keys found last: a document is often asked for again. */
  readonly #known = new Map<string, string>();

  /** `compare`: of the collation, but at the first strength, at which whatever is equal at any strength is equal too. */
  constructor(compare: CompareText) {
    this.#compare = compare;
    this.#letters = baseLetters(asciiRanges, compare);
  }

  keyOf(text: string): string {
    if (text.length > knownLengthMax) return this.#find(text);
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const key = this.#find(text);
    if (this.#known.size >= knownMax) this.#known.clear();
    this.#known.set(text, key);
    return key;
  }

  #find(text: string): string {
    let key = "";
    for (let count = 0; count < lettersMax && this.#compare(key, text) !== 0; count += 1) {
      const near = this.#lastNotBehind(this.#letters, key, text);
      if (near !== undefined && this.#compare(text, key + near + highest) <= 0) {
        key += near;
        continue;
      }
      this.#allLetters ??= baseLetters(letterRanges, this.#compare);
      const letter = this.#lastNotBehind(this.#allLetters, key, text);
      if (letter === undefined) break;
      const isBeginning = this.#compare(text, key + letter + highest) <= 0;
      key += letter;
      if (!isBeginning) break;
    }
    return key;
  }

  /** The last letter that can follow the key such that the text is not before both; by halves. */
  #lastNotBehind(letters: readonly string[], key: string, text: string): string | undefined {
    let [low, high] = [0, letters.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(key + (letters[middle] as string), text) <= 0) low = middle + 1;
      else high = middle;
    }
    return letters[low - 1];
  }
}

const asciiRanges: readonly (readonly [number, number])[] = [[0x20, 0x7e]];
/** Letters, digits and signs of living scripts; of Hangul the letters that its syllables consist of. */
const letterRanges: readonly (readonly [number, number])[] = [
  [0x20, 0x7e],
  [0xa1, 0x24f],
  [0x370, 0x1fff],
  [0x2010, 0x205e],
  [0x20a0, 0x20bf],
  [0x2c00, 0x2dff],
  [0x3001, 0x318f],
  [0x4e00, 0x9fff],
  [0x1_f300, 0x1_f6ff],
  [0x1_f900, 0x1_f9ff],
];

/** One character of each class of equal ones, in order; none that a comparison does not see. */
function baseLetters(ranges: readonly (readonly [number, number])[], compare: CompareText): readonly string[] {
  const letters = ranges
    .flatMap(([first, last]) =>
      Array.from({ length: last - first + 1 }, (_, index) => String.fromCodePoint(first + index)),
    )
    .filter((letter) => /[\p{L}\p{N}\p{P}\p{S}\p{Zs}]/u.test(letter) && compare(letter, "") !== 0)
    .toSorted(compare);
  return letters.filter((letter, index) => index === 0 || compare(letters[index - 1] as string, letter) !== 0);
}
