import { setTimeout as pause } from "node:timers/promises";
import type { ApiClient } from "./api-client.ts";
import type { Output } from "./output.ts";

interface Asking {
  readonly api: ApiClient;
  readonly output: Output;
}

const pollMs = 500;

/** Asks the running server until something has ended. */
export function untilEnded<State extends { readonly status: string }>(asking: Asking, path: string): Promise<State> {
  const isUnderWay = ({ status }: State): boolean => status === "queued" || status === "inProgress";
  return until<State>(
    asking,
    path,
    (state) => !isUnderWay(state),
    ({ status }) => status,
  );
}

/** Asks the running server until what it answers is as wanted; `progress` is what is said of it meanwhile. */
export async function until<State>(
  { api, output }: Asking,
  path: string,
  isWanted: (state: State) => boolean,
  progress: (state: State) => string,
): Promise<State> {
  for (;;) {
    const state = await api.call<State>("GET", path);
    if (isWanted(state)) return state;
    output.progress(progress(state));
    await pause(pollMs);
  }
}
