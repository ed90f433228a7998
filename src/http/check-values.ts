import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import type { AppError } from "../shared/app-error.ts";
import {
  invalidAttribute,
  invalidEnumValue,
  invalidJson,
  invalidJsonAttribute,
  invalidPathParameter,
  invalidQueryParameter,
  missingAttribute,
  missingQueryParameter,
} from "./request-errors.ts";

interface Violation {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Checks a value against its schema once compiled. Throws the API's error for the first thing wrong. */
export type ValueCheck = (value: unknown) => void;

/** For a request body: names the attribute, as the API's own errors do. */
export function createBodyCheck(schema: TSchema): ValueCheck {
  const compiled = Compile(schema);
  return (value) => {
    if (!compiled.Check(value)) throw bodyError(compiled.Errors(value) as readonly Violation[], value);
  };
}

export function createPathCheck(schema: TSchema): ValueCheck {
  return createParameterCheck(schema, invalidPathParameter, invalidPathParameter);
}

export function createQueryCheck(schema: TSchema): ValueCheck {
  return createParameterCheck(schema, invalidQueryParameter, missingQueryParameter);
}

function createParameterCheck(
  schema: TSchema,
  invalid: (name: string) => AppError,
  missing: (name: string) => AppError,
): ValueCheck {
  const compiled = Compile(schema);
  return (value) => {
    if (compiled.Check(value)) return;
    const violations = compiled.Errors(value) as readonly Violation[];
    const required = violations.find((violation) => violation.keyword === "required");
    if (required !== undefined) throw missing(firstName(required.params.requiredProperties, "parameter"));
    throw invalid(attributeName(violations[0]?.instancePath ?? "") || "parameter");
  };
}

function bodyError(violations: readonly Violation[], body: unknown): AppError {
  // An unknown field is named before a missing one: a misspelt name is both, and the spelling is what helps.
  const unknown = violations.find((violation) => violation.keyword === "additionalProperties");
  if (unknown !== undefined) return invalidAttribute(firstName(unknown.params.additionalProperties, "attribute"));
  const required = violations.find((violation) => violation.keyword === "required");
  if (required !== undefined) return missingAttribute(firstMissing(required, body));
  const first = violations[0];
  if (first === undefined || first.instancePath === "") return invalidJson();
  const attribute = attributeName(first.instancePath);
  const value = valueAt(body, first.instancePath);
  if (["const", "enum", "anyOf"].includes(first.keyword)) {
    return typeof value === "string" ? invalidEnumValue(value.slice(0, 100)) : invalidJsonAttribute(attribute);
  }
  return first.keyword === "type" ? invalidJsonAttribute(attribute) : invalidAttribute(attribute);
}

/** The compiler lists every required property; the one to name is the first that is not there. */
function firstMissing(violation: Violation, body: unknown): string {
  const parent = valueAt(body, violation.instancePath);
  const names = Array.isArray(violation.params.requiredProperties)
    ? (violation.params.requiredProperties as string[])
    : [];
  const missing =
    names.find((name) => typeof parent !== "object" || parent === null || !Object.hasOwn(parent, name)) ?? "attribute";
  const path = attributeName(violation.instancePath);
  return path === "" ? missing : `${path}.${missing}`;
}

function firstName(names: unknown, fallback: string): string {
  const name: unknown = Array.isArray(names) ? names[0] : undefined;
  return typeof name === "string" ? name.slice(0, 100) : fallback;
}

/** `/roles/0/roleName` as `roles.roleName`. */
function attributeName(instancePath: string): string {
  return segments(instancePath)
    .filter((segment) => !/^\d+$/.test(segment))
    .join(".")
    .slice(0, 200);
}

function valueAt(root: unknown, instancePath: string): unknown {
  return segments(instancePath).reduce<unknown>(
    (value, segment) =>
      typeof value === "object" && value !== null ? (value as Record<string, unknown>)[segment] : undefined,
    root,
  );
}

function segments(instancePath: string): string[] {
  return instancePath
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}
