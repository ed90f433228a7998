/** Length of bodies kept at most, over all operations. */
const keptLengthMax = 8_000_000;
/** From this length on a body is kept as the bytes it is sent as: encoding it at each answer would cost more than writing header and body apart. */
const bytesLengthMin = 4096;

/** The text of an answer, or its UTF-8. */
export type Body = string | Buffer;

interface KeptBody {
  readonly source: object;
  readonly body: Body;
}

/**
 * Bodies of lists by request target, good as long as the very same source page comes out of the metadata again (which remembers pages until something is written). The body
 * depends on nothing but the source and the target.
 */
export class BodyMemory {
  readonly #kept = new Map<string, KeptBody>();
  #length = 0;

  find(target: string, source: object): Body | undefined {
    const kept = this.#kept.get(target);
    return kept?.source === source ? kept.body : undefined;
  }

  /** Answers the body as it is kept. */
  keep(target: string, source: object, text: string): Body {
    const body = text.length < bytesLengthMin ? text : Buffer.from(text);
    this.#drop(target);
    if (this.#length + body.length + target.length > keptLengthMax) {
      this.#kept.clear();
      this.#length = 0;
    }
    this.#kept.set(target, { source, body });
    this.#length += body.length + target.length;
    return body;
  }

  #drop(target: string): void {
    const before = this.#kept.get(target);
    if (before === undefined) return;
    this.#kept.delete(target);
    this.#length -= before.body.length + target.length;
  }
}
