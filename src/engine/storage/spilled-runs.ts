import { readInt32 } from "../bson/bytes.ts";
import type { SpillFile } from "./query-space.ts";

/** Bytes that are written, and read of each run, at once. */
const pieceBytes = 256 * 1024;

/** Documents in stretches, each of which was written in some order and can be read again in that order, all of them at once. */
export class SpilledRuns {
  readonly #file: SpillFile;
  readonly #runs: { readonly start: number; readonly end: number }[] = [];

  constructor(file: SpillFile) {
    this.#file = file;
  }

  get count(): number {
    return this.#runs.length;
  }

  /** Writes one run. What is given in between, from the documents or for the writing, is a moment to give way. */
  *write(documents: Iterable<Uint8Array | undefined>): Generator<undefined, void> {
    const start = this.#file.sizeBytes;
    let pieces: Uint8Array[] = [];
    let bytes = 0;
    for (const document of documents) {
      if (document === undefined) {
        yield undefined;
        continue;
      }
      pieces.push(document);
      bytes += document.length;
      if (bytes < pieceBytes) continue;
      this.#append(pieces);
      [pieces, bytes] = [[], 0];
      yield undefined;
    }
    this.#append(pieces);
    this.#runs.push({ start, end: this.#file.sizeBytes });
  }

  /** Small documents are written together; large ones are not copied for it. */
  #append(documents: readonly Uint8Array[]): void {
    const large = documents.length > 0 && (documents.at(-1) as Uint8Array).length >= pieceBytes / 2;
    const small = large ? documents.slice(0, -1) : documents;
    if (small.length > 0) this.#file.append(Buffer.concat(small));
    if (large) this.#file.append(documents.at(-1) as Uint8Array);
  }

  /** Readers of all runs, in the order in which these were written. */
  readers(): RunReader[] {
    return this.#runs.map(({ start, end }) => new RunReader(this.#file, start, end));
  }

  close(): void {
    this.#file.close();
  }
}

/** Reads the documents of one run. */
export class RunReader {
  readonly #file: SpillFile;
  readonly #end: number;
  /** Where in the file the buffer begins, and where in the buffer the next document does. */
  #position: number;
  #offset = 0;
  #buffer: Uint8Array = new Uint8Array(0);

  constructor(file: SpillFile, start: number, end: number) {
    this.#file = file;
    this.#position = start;
    this.#end = end;
  }

  /** The next document, a copy of its own. */
  next(): Uint8Array | undefined {
    if (this.#position + this.#offset >= this.#end) return undefined;
    this.#need(4);
    const length = readInt32(this.#buffer, this.#offset);
    this.#need(length);
    if (this.#offset === 0 && this.#buffer.length === length) {
      const whole = this.#buffer;
      this.#offset = length;
      this.#drop();
      return whole;
    }
    const document = this.#buffer.slice(this.#offset, this.#offset + length);
    this.#offset += length;
    // A large document's room is not kept for those behind it.
    if (this.#buffer.length > pieceBytes) this.#drop();
    return document;
  }

  #need(count: number): void {
    if (this.#buffer.length - this.#offset >= count) return;
    this.#drop();
    const left = this.#end - this.#position;
    this.#buffer = new Uint8Array(Math.min(Math.max(count, pieceBytes), left));
    this.#file.read(this.#buffer, this.#position);
  }

  #drop(): void {
    this.#position += this.#offset;
    this.#offset = 0;
    this.#buffer = new Uint8Array(0);
  }
}
