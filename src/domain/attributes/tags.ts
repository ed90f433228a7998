import type { Tag } from "../../ports/metadata/project-records.ts";
import { validationError } from "./errors.ts";

/** Tags a project or an instance can have (Atlas, resource tags). */
export const maximumTagCount = 50;
const maximumTagLength = 255;

/** Throws `VALIDATION_ERROR` for too many tags, an empty or long key or value, or a key given twice. */
export function checkTags(tags: readonly Tag[]): void {
  if (tags.length > maximumTagCount) throw validationError(`at most ${maximumTagCount} tags are allowed`);
  const keys = new Set<string>();
  for (const { key, value } of tags) {
    if (!hasTagLength(key)) throw validationError(`a tag's key must have 1 to ${maximumTagLength} characters`);
    if (!hasTagLength(value)) throw validationError(`a tag's value must have 1 to ${maximumTagLength} characters`);
    if (keys.has(key)) throw validationError("the same tag key is given twice");
    keys.add(key);
  }
}

function hasTagLength(text: string): boolean {
  return text.length >= 1 && text.length <= maximumTagLength;
}
