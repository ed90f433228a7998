import { describe } from "node:test";
import { type Document, Int32, Long, ObjectId } from "bson";
import { promise, refuse } from "../../../../test/support/expressions.ts";

const date = (text: string): Date => new Date(text);
const long = (value: number): Long => Long.fromNumber(value);

describe("dates", () => {
  promise([
    [
      "a text without a format may be spelt as people do",
      {
        $map: {
          input: ["July 4th, 2017 11:39:30 BST", "Tue 4 Jul 2017 10:39:30", "2017-Jul-04 10:39:30Z", "7/4/17 10.39.30"],
          in: { $toDate: "$$this" },
        },
      },
      Array.from({ length: 4 }, () => date("2017-07-04T10:39:30Z")),
    ],
    [
      "noon and midnight are times, and half days are told apart",
      {
        $map: {
          input: ["20170704 noon", "4 July 2017 midnight", "2017-185 12:30 am", "2017-W27-2 12:30 p.m."],
          in: { $hour: { $toDate: "$$this" } },
        },
      },
      [12, 0, 0, 12].map((hour) => new Int32(hour)),
    ],
    [
      "a named day of the week is the first from the date on",
      { $toDate: "Friday, 4 July 2017" },
      date("2017-07-07T00:00:00Z"),
    ],
    [
      "a zone in a format is an offset, after GMT too, or a short name",
      {
        $map: {
          input: ["12:00 GMT-03:00", "12:00 +530", "12:00 EST", "12:00 Z"],
          in: {
            $hour: {
              $dateFromString: { dateString: { $concat: ["2017-07-04 ", "$$this"] }, format: "%Y-%m-%d %H:%M %z" },
            },
          },
        },
      },
      [15, 6, 17, 12].map((hour) => new Int32(hour)),
    ],
    [
      "months in formats are whole or short names",
      {
        $map: {
          input: ["%d %b %Y", "%d %B %Y"],
          in: { $month: { $dateFromString: { dateString: "01 July 2017", format: "$$this" } } },
        },
      },
      [new Int32(7), new Int32(7)],
    ],
    [
      "minutes of a zone are shown without a sign, hours with one",
      { $dateToString: { date: date("2024-01-01T00:00:00Z"), format: "%Z %z", timezone: "+04:30" } },
      "270 +0430",
    ],
    ["an ObjectId counts as its time", { $year: new ObjectId("65920080ffffffffffffffff") }, new Int32(2024)],
    [
      "parts in a zone with daylight saving",
      { $hour: { date: date("2024-07-01T12:00:00Z"), timezone: "America/New_York" } },
      new Int32(8),
    ],
    ["and without", { $hour: { date: date("2024-01-01T12:00:00Z"), timezone: "America/New_York" } }, new Int32(7)],
    ["parts by an offset", { $minute: { date: date("2024-01-01T12:00:00Z"), timezone: "+05:30" } }, new Int32(30)],
    ["a week of ISO belongs to the year of its Thursday", { $isoWeekYear: date("2021-01-03T00:00:00Z") }, long(2020)],
    [
      "the end of a month stays in it",
      { $dateAdd: { startDate: date("2024-01-31T00:00:00Z"), unit: "month", amount: 1 } },
      date("2024-02-29T00:00:00Z"),
    ],
    [
      "a day over a change of clocks is a day of the calendar",
      { $dateAdd: { startDate: date("2024-03-09T17:00:00Z"), unit: "day", amount: 1, timezone: "America/New_York" } },
      date("2024-03-10T16:00:00Z"),
    ],
    [
      "an hour over it is an hour",
      { $dateAdd: { startDate: date("2024-03-10T06:30:00Z"), unit: "hour", amount: 1, timezone: "America/New_York" } },
      date("2024-03-10T07:30:00Z"),
    ],
    [
      "years apart count borders, not lengths",
      { $dateDiff: { startDate: date("2023-12-31T23:59:59Z"), endDate: date("2024-01-01T00:00:00Z"), unit: "year" } },
      long(1),
    ],
    [
      "weeks begin on the day asked for",
      {
        $dateDiff: {
          startDate: date("2024-05-05T00:00:00Z"),
          endDate: date("2024-05-06T00:00:00Z"),
          unit: "week",
          startOfWeek: "monday",
        },
      },
      long(1),
    ],
    [
      "cutting to bins of months",
      { $dateTrunc: { date: date("2024-05-20T10:00:00Z"), unit: "month", binSize: 3 } },
      date("2024-04-01T00:00:00Z"),
    ],
    [
      "cutting to a day of a zone",
      { $dateTrunc: { date: date("2024-05-20T02:00:00Z"), unit: "day", timezone: "America/New_York" } },
      date("2024-05-19T04:00:00Z"),
    ],
    [
      "parts out of range carry over",
      { $dateFromParts: { year: 2024, month: 14, day: 0, hour: 25 } },
      date("2025-02-01T01:00:00Z"),
    ],
    [
      "parts of ISO",
      { $dateFromParts: { isoWeekYear: 2020, isoWeek: 53, isoDayOfWeek: 7 } },
      date("2021-01-03T00:00:00Z"),
    ],
    [
      "text by a format",
      { $dateToString: { date: date("2024-05-06T07:08:09.010Z"), format: "%d.%m.%Y %H:%M:%S.%L %j %u %V%%" } },
      "06.05.2024 07:08:09.010 127 1 19%",
    ],
    [
      "text without a format ends with Z in UTC alone",
      {
        $map: {
          input: ["UTC", "+00:00", "Asia/Kolkata"],
          in: { $dateToString: { date: date("2024-05-06T07:08:09.010Z"), timezone: "$$this" } },
        },
      },
      ["2024-05-06T07:08:09.010Z", "2024-05-06T07:08:09.010Z", "2024-05-06T12:38:09.010"],
    ],
    [
      "text in a zone with its offset",
      { $dateToString: { date: date("2024-05-06T07:08:09Z"), format: "%H%z", timezone: "Asia/Kolkata" } },
      "12+0530",
    ],
    [
      "a text of ISO 8601",
      { $dateFromString: { dateString: "2024-05-06T07:08:09.010+02:00" } },
      date("2024-05-06T05:08:09.010Z"),
    ],
    ["an English text", { $dateFromString: { dateString: "July 4, 2017 11:30 pm" } }, date("2017-07-04T23:30:00Z")],
    [
      "a text by a format and a zone",
      { $dateFromString: { dateString: "06-05-2024", format: "%d-%m-%Y", timezone: "Europe/Berlin" } },
      date("2024-05-05T22:00:00Z"),
    ],
    ["what is no date is what onError says", { $dateFromString: { dateString: "nonsense", onError: "bad" } }, "bad"],
    ["nothing is what onNull says", { $dateToString: { date: null, onNull: "none" } }, "none"],
  ]);
  refuse([
    [{ $year: 5 }, 16_006],
    [{ $hour: { date: date("2024-01-01T00:00:00Z"), timezone: "Nowhere/Land" } }, 40_485],
    [{ $dateToString: { date: date("2024-01-01T00:00:00Z"), format: "%q" } }, 18_536],
    [{ $dateToString: { date: date("+012024-01-01T00:00:00Z") } }, 18_537],
    ...[
      "nonsense",
      "July 4th",
      "12:50:53",
      "2017, 12:50:53",
      "60.Monday1770/06:59",
      "2017-02-30",
      "2017-02-28 24:00:00",
      "2017-07-04 08:60",
      "2017-07-04 Europe/Berlin",
      "2017-07-04 2017-07-05",
    ].map((dateString): [Document, number] => [{ $dateFromString: { dateString } }, 241]),
    [{ $dateFromString: { dateString: "2017-02-29", format: "%Y-%m-%d" } }, 241],
    [{ $dateFromString: { dateString: "4 Jux 2017", format: "%d %b %Y" } }, 241],
    [{ $dateFromParts: { year: 10_000 } }, 40_523],
    [{ $dateFromParts: { year: 2024, isoWeek: 1 } }, 40_525],
    [{ $dateAdd: { startDate: date("2024-01-01T00:00:00Z"), unit: "eon", amount: 1 } }, 9],
    [{ $dateTrunc: { date: date("2024-01-01T00:00:00Z"), unit: "day", binSize: 0 } }, 5_439_018],
  ]);
});
