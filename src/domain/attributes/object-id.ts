/** Whether the text can be an identifier at all: 24 lower-case hex digits. */
export function isObjectId(text: string): boolean {
  return /^[0-9a-f]{24}$/.test(text);
}
