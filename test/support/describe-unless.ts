import { describe, test } from "node:test";

/**
 * A suite, or, where `missing` says what it cannot do without, one test in its place that is skipped for that reason: the runner counts tests that are skipped and passes over suites
 * that are.
 */
export function describeUnless(missing: string | false | undefined, name: string, suite: () => void): void {
  if (missing === false || missing === undefined) describe(name, suite);
  else test(name, { skip: missing }, () => undefined);
}
