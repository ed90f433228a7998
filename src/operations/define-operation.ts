import { type Static, type TObject, type TSchema, Type } from "typebox";
import type { Actor } from "../domain/access/actor.ts";
import type { Access } from "../domain/access/authorization.ts";
import type { Services } from "../domain/services.ts";
import type { ProjectRecord } from "../ports/metadata/project-records.ts";
import type { Page, PageRequest } from "../shared/page.ts";
import type { InstanceHosting } from "./serverless-instances/serverless-instance-description.ts";
import type { Href } from "./shapes.ts";

/** Endpoint sets whose requests share a bucket (API rate limits of the reference). */
export type RateLimitSet =
  | "clusters"
  | "externalDeployments"
  | "cloudBackups"
  | "project"
  | "projects"
  | "databaseUsers"
  | "root";

/** What every operation may call. */
export interface OperationServices extends Services {
  readonly access: Access;
  readonly hosting: InstanceHosting;
  /** 40 hexadecimal digits that name this build. */
  readonly build: string;
}

/** A request after everything that all operations share was done with it. */
export interface OperationRequest<Path, Query, Body> {
  readonly path: Path;
  readonly query: Query;
  readonly body: Body;
  /** Set for lists; the first hundred otherwise. */
  readonly page: PageRequest;
  readonly actor: Actor;
  /** The project of `groupId`, which the caller was found to have the role for; only with access by project. */
  readonly project: ProjectRecord;
  readonly href: Href;
}

/** One dated version of an operation. */
export interface OperationVersion<Path, Query, Request extends TSchema, Response extends TSchema | undefined, Result> {
  /** Shape of the body; without it the operation takes none. */
  readonly request?: Request;
  /** Shape of the answer, of one item for lists; undefined for an answer without body. */
  readonly response: Response;
  readonly status: 200 | 201 | 202 | 204;
  readonly handler: (
    request: OperationRequest<Path, Query, Static<Request>>,
    services: OperationServices,
  ) => Promise<Result>;
}

export interface OperationDefinition<
  Path extends TObject = TObject,
  Query extends TObject = TObject,
  Request extends TSchema = TSchema,
  Response extends TSchema | undefined = TSchema | undefined,
  Result = unknown,
> {
  /** Name in the API's description; also the file's name. */
  readonly operationId: string;
  /** What SDKs and the CLI call it. */
  readonly otherNames: readonly string[];
  readonly tag: string;
  readonly summary: string;
  readonly description: string;
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** With `{name}` for parameters, from `/api/atlas/v2`, or from `/api/telamon/v1` for what has no place in the vendor's API. */
  readonly route: string;
  /** Telamon's own, unknown to the vendor's API. */
  readonly extension?: true | undefined;
  /** `project`: the caller needs one of the roles on the project of `groupId`; `caller`: being authenticated is enough. */
  readonly access: { readonly scope: "project"; readonly anyRole: readonly string[] } | { readonly scope: "caller" };
  readonly rateLimit: RateLimitSet;
  readonly path: Path;
  readonly query: Query;
  /** Paging parameters, list body and links come with it. */
  readonly list: boolean;
  /** By date, `YYYY-MM-DD`. */
  readonly versions: Readonly<Record<string, OperationVersion<Static<Path>, Static<Query>, Request, Response, Result>>>;
}

/** A version of any operation. */
export interface AnyVersion {
  readonly request?: TSchema;
  readonly response: TSchema | undefined;
  readonly status: 200 | 201 | 202 | 204;
  // The door checks values against the schemas before it calls.
  // oxlint-disable-next-line typescript/no-explicit-any -- variance: no other type accepts every handler
  readonly handler: (request: OperationRequest<any, any, any>, services: OperationServices) => Promise<unknown>;
}

/** Any operation, for the doors and the documents that treat all alike. */
export interface AnyOperation extends Omit<OperationDefinition, "versions"> {
  readonly versions: Readonly<Record<string, AnyVersion>>;
}

type Common<Path extends TObject, Query extends TObject> = Omit<
  OperationDefinition<Path, Query>,
  "versions" | "list" | "otherNames" | "query"
> & {
  readonly otherNames?: readonly string[];
  readonly query?: Query;
};

/** Declares an operation that answers one resource or nothing. */
export function defineOperation<
  Path extends TObject,
  Request extends TSchema,
  Response extends TSchema | undefined,
  Query extends TObject = TObject<Record<never, never>>,
>(
  definition: Common<Path, Query> & {
    readonly versions: Readonly<
      Record<
        string,
        OperationVersion<
          Static<Path>,
          Static<Query>,
          Request,
          Response,
          Response extends TSchema ? Static<Response> : void
        >
      >
    >;
  },
): AnyOperation {
  return {
    ...definition,
    otherNames: definition.otherNames ?? [],
    query: definition.query ?? Type.Object({}),
    list: false,
  };
}

/** Declares an operation that answers a list: its handler gives one page of items of the declared shape. */
export function defineListOperation<
  Path extends TObject,
  Item extends TSchema,
  Query extends TObject = TObject<Record<never, never>>,
>(
  definition: Common<Path, Query> & {
    readonly versions: Readonly<
      Record<string, OperationVersion<Static<Path>, Static<Query>, TSchema, Item, Page<Static<Item>>>>
    >;
  },
): AnyOperation {
  return {
    ...definition,
    otherNames: definition.otherNames ?? [],
    query: definition.query ?? Type.Object({}),
    list: true,
  };
}

/** A page that is shown when it is looked at, and knows what it is made of: who has answered with the same source before need not look. */
export interface ShownPage<Shown> extends Page<Shown> {
  readonly source: object;
}

/** The same page with its items shown, each time it is asked for. */
export function mapPage<Item, Shown>(page: Page<Item>, present: (item: Item) => Shown): ShownPage<Shown> {
  return new PresentedPage(page, present);
}

/** A class, because an object with a getter of its own takes long to make, and a page is made for every request. */
class PresentedPage<Item, Shown> implements ShownPage<Shown> {
  readonly source: Page<Item>;
  readonly #present: (item: Item) => Shown;

  constructor(source: Page<Item>, present: (item: Item) => Shown) {
    this.source = source;
    this.#present = present;
  }

  get items(): readonly Shown[] {
    return this.source.items.map(this.#present);
  }

  get totalCount(): number {
    return this.source.totalCount;
  }

  get hasNext(): boolean {
    return this.source.hasNext;
  }
}
