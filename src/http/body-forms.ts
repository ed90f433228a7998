/** `envelope=true`: one object is put into `content`; a list gets `status` beside its own keys. */
export function enveloped(body: string, status: number, list: boolean): string {
  if (!list) return `{"status":${status},"content":${body === "" ? "{}" : body}}`;
  // `totalCount` is a list's last key, and no string before it can hold the unescaped quotes that are looked for.
  const position = body.lastIndexOf('"totalCount":');
  return `${body.slice(0, position)}"status":${status},${body.slice(position)}`;
}

/** `pretty=true`: two spaces, and ` : ` between key and value, as the vendor's serializer (Jackson) prints. */
export function prettyPrinted(body: string): string {
  return body === "" ? body : print(JSON.parse(body) as unknown, "");
}

function print(value: unknown, indentation: string): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indentation}  `;
  if (Array.isArray(value)) {
    // Jackson keeps the elements of an array on the line of its brackets.
    return value.length === 0 ? "[ ]" : `[ ${value.map((element) => print(element, indentation)).join(", ")} ]`;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return "{ }";
  return `{\n${entries.map(([key, element]) => `${inner}${JSON.stringify(key)} : ${print(element, inner)}`).join(",\n")}\n${indentation}}`;
}
