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
    [[11, 185, 186, 187, 190], "a double was written into the case as a whole number"],
    [[164, 165, 166], "documents of an earlier statement were changed, and the replay still has them"],
    [[168], "equal sort keys, whose order is open"],
    [[181], "a collection of the other product's own"],
    [[39, 78], "documents of an earlier statement were removed, and the replay still has them"],
  ]),
  project: reasons([
    [
      [6, 105, 686, 687, 691, 694, 705, 706, 707, 708, 709, 710, 712, 715, 2318, 2679, 2742],
      "a NaN was written into the case as text",
    ],
    [[16, 27, 28, 29, 1323, 2871], "dates beyond the calendar, which the BSON library does not hold either"],
    [[122, 724], "the manual has a double where one of the numbers is one, and of averages"],
    [[216, 237], "the same number with other zeros at its end"],
    [[1100, 1101, 1102, 1103, 1105, 1107, 1108, 1109], "the manual shows offsets with their sign"],
    [[1126], "what is null is what onNull is for, whatever the zone is"],
    [[1379, 1380, 1382], "the border between the weeks is crossed"],
    [
      [
        1405, 1409, 1410, 1411, 1412, 1413, 1414, 1415, 1416, 1417, 1418, 1419, 1420, 1421, 1422, 1423, 1424, 1431,
        1432, 1433, 1434, 1435, 1436, 1458, 1459, 1460, 1462, 1463, 1464, 1465, 2873, 2874, 2875, 2876, 2877,
      ],
      "the other product adds the time zone of its own server, or takes texts that do not fit the format",
    ],
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
    [
      [
        137, 140, 143, 144, 146, 155, 157, 159, 161, 162, 180, 185, 187, 188, 192, 201, 204, 206, 209, 211, 310, 311,
        313, 316, 318, 319, 321, 322, 323, 324, 325, 326, 327, 331, 332, 334, 335, 336, 337, 338, 372, 373, 378, 380,
        391, 392, 393, 394, 395, 396, 397, 403, 408, 409, 411, 413, 415, 424, 426, 428, 429, 430, 431, 432,
      ],
      "documents of equal sort keys, or of none, come in any order",
    ],
    [[527, 528, 619, 1118], "groups come in any order"],
    [[70], "the statement was cut short"],
    [[79, 81, 82], "a setting of the other product bounds what is made"],
    [[436, 437, 459, 460, 478, 567], "a field that was there keeps its place"],
    [[456, 942, 1043], "the manual has $count take an empty document"],
    [[514, 583, 584, 610, 612, 618, 1004], "documents are missing, or those of an earlier state are there"],
    [[560, 957], "the manual shows the depth as a 64-bit number"],
    [[570], "a group has a field of nothing as null"],
    [[929], "what counts no documents gives none"],
    [[958], "the manual shows the depth as a 64-bit number"],
    [[617, 1116], "the manual has $mergeObjects give an empty document for nothing"],
    [[648], "the manual has accumulators of $group take one operand"],
    [[650], "a literal is no variable"],
    [[689, 691], "the manual has $top need sortBy, and give one value"],
    [[947, 948, 951, 952], "the other product has no collations there"],
  ]),
};

function reasons(groups: readonly (readonly [readonly number[], string])[]): Readonly<Record<number, string>> {
  return Object.fromEntries(groups.flatMap(([lines, reason]) => lines.map((line) => [line, reason] as const)));
}
