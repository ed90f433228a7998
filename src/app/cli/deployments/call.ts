import type { ApiClient } from "../api-client.ts";
import type { Output } from "../output.ts";

/** What each action of `telamon deployments` is given. */
export interface Call {
  readonly api: ApiClient;
  /** Path of the project's external deployments, and of the one that was named. */
  readonly base: string;
  readonly path: string;
  readonly names: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
  readonly output: Output;
}
