/**
 * Cases that say nothing about right or wrong, or where MongoDB's manual disagrees with the product they were recorded from; by file and line (counted from 0), each
 * with the reason. They are not counted. What the engine should do and does not yet is not here: it counts as wrong.
 */
export const exceptions: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  match: reasons([
    [[96, 97, 98, 99], "binary data: the manual compares length first, then subtype"],
    [[199, 200, 201], "documents of an earlier statement were removed, and the replay still has them"],
    [[90], "a text score is asked for, which needs a text index"],
  ]),
  update: reasons([
    [[13, 14, 152, 158, 160, 269], "a double was written into the case as a whole number"],
    [[98, 99], "the manual has $mul fail on what is no number"],
    [[209, 210], "the manual has updates by operators refuse a field of the document whose name begins with $"],
    [[262], "fields that $rename makes come by their new names, as all new fields do"],
    [[312, 324], "the query does not match the document, so there is no position"],
    [[317], "two conditions meet an array: the manual leaves open which position counts"],
  ]),
  find: reasons([
    [[115, 116, 117], "a setting of the other product forbids scans"],
    [[11, 190], "a double was written into the case as a whole number"],
    [[165, 166], "documents of an earlier statement were changed, and the replay still has them"],
    [[168], "equal sort keys, whose order is open"],
    [[181], "a collection of the other product's own"],
  ]),
};

function reasons(groups: readonly (readonly [readonly number[], string])[]): Readonly<Record<number, string>> {
  return Object.fromEntries(groups.flatMap(([lines, reason]) => lines.map((line) => [line, reason] as const)));
}
