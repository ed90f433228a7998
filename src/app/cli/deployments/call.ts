import { setTimeout as pause } from "node:timers/promises";
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

const pollMs = 500;

/** Asks until something has ended. */
export async function untilEnded<State extends { readonly status: string }>(
  { api, output }: Call,
  path: string,
): Promise<State> {
  for (;;) {
    const state = await api.call<State>("GET", path);
    if (state.status !== "queued" && state.status !== "inProgress") return state;
    output.progress(state.status);
    await pause(pollMs);
  }
}
