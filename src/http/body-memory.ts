/** Characters of bodies kept at most, over all operations. */
const keptCharactersMax = 8_000_000;

interface KeptBody {
  readonly source: object;
  readonly body: string;
}

/**
 * Bodies of lists by request target, good as long as the very same source page comes out of the metadata again (which remembers pages until something is written). The body
 * depends on nothing but the source and the target.
 */
export class BodyMemory {
  readonly #kept = new Map<string, KeptBody>();
  #characters = 0;

  find(target: string, source: object): string | undefined {
    const kept = this.#kept.get(target);
    return kept?.source === source ? kept.body : undefined;
  }

  keep(target: string, source: object, body: string): void {
    this.#drop(target);
    if (this.#characters + body.length + target.length > keptCharactersMax) {
      this.#kept.clear();
      this.#characters = 0;
    }
    this.#kept.set(target, { source, body });
    this.#characters += body.length + target.length;
  }

  #drop(target: string): void {
    const before = this.#kept.get(target);
    if (before === undefined) return;
    this.#kept.delete(target);
    this.#characters -= before.body.length + target.length;
  }
}
