import { located } from "../../engine-error.ts";
import { arrayValue, buildDocument } from "../../bson/builder.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { documentValue, type Value } from "../../bson/value.ts";
import { elementsOf, fieldsOf } from "../../bson/walk.ts";
import { blockingStepMaxBytes, type Flow } from "../../query/flow.ts";
import { objectOf, type Stage, type StageFactory } from "../stage.ts";

export const $facet: StageFactory = (argument, place) => {
  const fields = [...fieldsOf(objectOf(argument, place.name, 40_169))];
  if (fields.length === 0) throw located(40_169, "the $facet specification must be a non-empty object");
  const facets = fields.map(({ name, value }) => {
    if (name === "") throw located(15_998, "FieldPath field names may not be empty strings.");
    if (name.startsWith("$"))
      throw located(16_410, "FieldPath field names may not start with '$'. Consider using $getField or $setField.");
    if (name.includes(".")) throw located(16_412, "FieldPath field names may not contain '.'.");
    const pipeline = pipelineOf(name, value);
    return { name, run: place.compile(pipeline, { ...place, within: [...place.within, "$facet"] }) };
  });
  return function* facet(flow: Flow): Flow {
    const running = facets.map(({ name, run }) => new Running(name, run));
    let bytes = 0;
    function* counted(results: Generator<number>): Flow {
      for (const grown of results) {
        bytes += grown;
        if (bytes > blockingStepMaxBytes) throw tooLarge();
        if (grown === 0) yield undefined;
      }
    }
    try {
      for (const document of flow) {
        if (document === undefined) yield undefined;
        else for (const one of running) yield* counted(one.give(document));
      }
      for (const one of running) {
        one.end();
        yield* counted(one.drain());
      }
      yield buildDocument(running.map(({ name, results }) => [name, arrayValue(results)] as const));
    } finally {
      for (const one of running) one.close();
    }
  };
};

function tooLarge(): Error {
  return located(4_031_700, `document constructed by $facet exceeds the limit of ${blockingStepMaxBytes} bytes`);
}

function pipelineOf(name: string, value: Value): readonly Uint8Array[] {
  if (value.type !== bsonType.array)
    throw located(40_170, `arguments to $facet must be arrays, ${name} is type ${typeName(value.type)}`);
  return elementsOf(value).map((stage) => {
    if (stage.type !== bsonType.object)
      throw located(
        40_171,
        `elements of arrays in $facet spec must be non-empty objects, ${name} argument contained an element of type ${typeName(stage.type)}`,
      );
    return stage.bytes();
  });
}

/** One pipeline of several over the same documents, each handed to it when it comes: nothing is kept but results. */
class Running {
  readonly name: string;
  readonly results: Value[] = [];
  readonly #flow: Flow;
  #next: Uint8Array | undefined;
  /** Whether the pipeline asked for a document when there was none. */
  #hungry = false;
  #ended = false;
  #done = false;

  constructor(name: string, run: Stage) {
    this.name = name;
    this.#flow = run(this.#feed());
  }

  /** Runs until a further document is wanted, giving the bytes of each result, 0 for a pause. */
  *give(document: Uint8Array): Generator<number> {
    if (this.#done) return;
    this.#next = document;
    this.#hungry = false;
    for (;;) {
      const step = this.#flow.next();
      if (step.done === true) {
        this.#done = true;
        return;
      }
      if (step.value !== undefined) yield this.#keep(step.value);
      // Stages hand a pause on when there is nothing more to take, and make some of their own.
      else if (this.#hungry) return;
      else yield 0;
    }
  }

  /** Lets go of what it holds. */
  close(): void {
    this.#flow.return();
  }

  end(): void {
    this.#ended = true;
  }

  /** Takes what is left, giving the bytes of each result, 0 for a pause. */
  *drain(): Generator<number> {
    if (this.#done) return;
    for (const document of this.#flow) yield document === undefined ? 0 : this.#keep(document);
  }

  #keep(document: Uint8Array): number {
    this.results.push(documentValue(document));
    return document.length + 16;
  }

  *#feed(): Flow {
    while (!this.#ended) {
      const document = this.#next;
      this.#next = undefined;
      this.#hungry = document === undefined;
      yield document;
    }
  }
}
