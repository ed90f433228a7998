/**
 * Cases that say nothing about right or wrong, or where MongoDB's manual disagrees with the product they were recorded from; by file and line (counted from 0), each
 * with the reason. They are not counted. What the engine should do and does not yet is not here: it counts as wrong.
 */
export const exceptions: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  match: reasons([
    [[96, 97, 98, 99], "binary data: the manual compares length first, then subtype"],
    [[199, 200, 201], "documents that match by the manual's order of arrays and types are missing from the result"],
    [[90], "a text score is asked for, which needs a text index"],
  ]),
  update: reasons([
    [[13, 14, 152, 158, 160, 269], "a double was written into the case as a whole number"],
    [[98, 99], "a NaN was written into the case as text"],
    [[209, 210], "the manual has updates by operators refuse a field of the document whose name begins with $"],
    [
      [262],
      "the manual has update operators make fields in the order of their names, and these are made by their new ones",
    ],
    [[312, 324], "the query does not match the document, so there is no position"],
    [[317], "two conditions meet an array: the manual leaves open which position counts; here it is the last's"],
  ]),
  find: reasons([
    [[115, 116, 117], "a setting of the other product forbids scans"],
    [[11, 185, 186, 187, 190], "a double was written into the case as a whole number"],
    [
      [39, 78, 164, 165, 166],
      "documents that match by the manual are missing from the result: they were written or removed later",
    ],
    [[168], "equal sort keys, whose order is open"],
    [[181], "a collection of the other product's own"],
  ]),
  project: reasons([
    [
      [6, 105, 686, 687, 691, 694, 705, 706, 707, 708, 709, 710, 712, 715, 2318, 2679, 2742],
      "a NaN was written into the case as text",
    ],
    [
      [16, 27, 28, 29, 1238, 1246, 1323, 2871],
      "dates beyond the calendar, which the BSON library does not hold either",
    ],
    [[122, 724], "the manual has a double of a dividend that is one, and of averages"],
    [[216, 237], "the same number with other zeros at its end"],
    [[1093, 1094, 1095, 1096], "the manual has no Z at the end of the default format where the zone is not UTC"],
    [[1126], "the manual has onNull for a date that is null, whatever the zone is"],
    [[1379, 1380, 1382], "the manual has $dateDiff count borders of weeks, and one is crossed"],
    [[1419], "the manual has %Y take four digits"],
    [[1458, 1459], "the 234th day of 2024 is the 21st of August, and its time that of the text"],
    [[1575, 1576, 1577, 1615, 1616, 1644], "the BSON library reads a DBPointer as a document that is no expression"],
    [[1593, 1595], "a double was written into the case as another number"],
    [[2790, 2792], "the manual has bytes of one subtype not become those of another"],
    [
      [2423, 2424, 2425, 2426, 2536, 2567, 2670, 2695],
      "the last digit of a decimal's function, which the other product rounds otherwise",
    ],
    [
      [
        2389, 2390, 2391, 2408, 2432, 2453, 2454, 2479, 2480, 2481, 2482, 2510, 2511, 2512, 2513, 2545, 2546, 2547,
        2573, 2574, 2575,
      ],
      "the other product turns degrees by a constant of 16 digits",
    ],
  ]),
  aggregate: reasons([
    [[527, 528, 619, 1118], "the manual has groups in no order of their own, whatever the order of what is grouped"],
    [[393, 394, 395, 396], "the last of a group that nothing sorts are those that lay last when the case was recorded"],
    [[137, 373, 392], "what is expected belongs to another statement"],
    [[209, 211], "the manual has $addToSet take equal values once, and nothing of what is missing"],
    [[3, 13, 15], "a share is a fraction, so what is weighed by it is a double, whole or not"],
    [[217, 218, 306], "the same decimals with other zeros at their ends"],
    [[70], "the statement was cut short"],
    [[79, 81, 82], "a setting of the other product allows ten documents"],
    [
      [436, 437, 459, 460, 478, 567],
      "the manual has $addFields put in place what is there and add what is not at the end",
    ],
    [[456, 942, 1043], "the manual has $count take an empty document"],
    [
      [514, 583, 584, 610, 612, 618, 1004],
      "documents that the case was recorded with are not in it, or are there in an earlier state",
    ],
    [[570], "the manual has accumulators of a group give null where there is nothing"],
    [[929], "the manual has $count give no document for no documents"],
    [[560, 957, 958], "the manual has the depth as a 64-bit number"],
    [[617, 1116], "the manual has $mergeObjects give an empty document for nothing"],
    [[648], "the manual has accumulators of $group take one operand"],
    [[650], "the manual has $redact take the three variables, and a literal is none"],
    [[689, 691], "the manual has $top need sortBy, and give one value"],
    [[947, 948, 951, 952], "the other product has no collations there"],
  ]),
};

function reasons(groups: readonly (readonly [readonly number[], string])[]): Readonly<Record<number, string>> {
  return Object.fromEntries(groups.flatMap(([lines, reason]) => lines.map((line) => [line, reason] as const)));
}
