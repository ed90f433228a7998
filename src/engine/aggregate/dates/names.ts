import { EngineError } from "../../engine-error.ts";
import { months } from "./format.ts";

const monthNumbers: ReadonlyMap<string, number> = new Map([
  ...months.flatMap((name, index): [string, number][] => [
    [name.toLowerCase(), index + 1],
    [name.slice(0, 3).toLowerCase(), index + 1],
  ]),
  ["sept", 9],
]);

/** The month from 1 of its English name or its beginning; undefined for others. */
export function monthNamed(text: string): number | undefined {
  return monthNumbers.get(text.toLowerCase());
}

/** Short names of time zones and what they add to UTC, in hours. */
const zoneHours: Readonly<Record<string, number>> = {
  utc: 0,
  gmt: 0,
  wet: 0,
  west: 1,
  bst: 1,
  cet: 1,
  wat: 1,
  cest: 2,
  eet: 2,
  sast: 2,
  cat: 2,
  ist: 2,
  idt: 3,
  eest: 3,
  eat: 3,
  msk: 3,
  msd: 4,
  pkt: 5,
  hkt: 8,
  awst: 8,
  jst: 9,
  kst: 9,
  acst: 9.5,
  aest: 10,
  acdt: 10.5,
  aedt: 11,
  nzst: 12,
  nzdt: 13,
  ndt: -2.5,
  adt: -3,
  nst: -3.5,
  ast: -4,
  edt: -4,
  est: -5,
  cdt: -5,
  cst: -6,
  mdt: -6,
  mst: -7,
  pdt: -7,
  pst: -8,
  akdt: -8,
  akst: -9,
  hst: -10,
};

/** How a zone stands in a text: an offset, after GMT if one wants, or a name. */
export const zonePattern = String.raw`(?:gmt|GMT)?[+-]\d{1,2}:?\d{0,2}|[A-Za-z]+(?:[_/][A-Za-z]+)*`;

/** Letters of the military zones from +1 on, then from -1 on; Z is UTC. */
const [eastern, western] = ["abcdefghiklm", "nopqrstuvwxy"];

/** Minutes that a zone adds to UTC, as it stands in a text. Throws 241 ConversionFailure for names of places, which MongoDB does not take there, and for unknown ones. */
export function zoneOffsetOf(text: string): number {
  const match = /^(?:gmt)?([+-])(\d{1,2}?)(?::(\d{1,2})|(\d{2}))?$/i.exec(text);
  if (match !== null) {
    const minutes = Number(match[2]) * 60 + Number(match[3] ?? match[4] ?? 0);
    return match[1] === "-" ? -minutes : minutes;
  }
  const name = text.toLowerCase();
  if (name === "z") return 0;
  if (name.length === 1 && eastern.includes(name)) return (eastern.indexOf(name) + 1) * 60;
  if (name.length === 1 && western.includes(name)) return -(western.indexOf(name) + 1) * 60;
  const hours = Object.hasOwn(zoneHours, name) ? zoneHours[name] : undefined;
  if (hours !== undefined) return hours * 60;
  throw new EngineError(
    241,
    "ConversionFailure",
    `Error parsing date string; passing a time zone identifier as part of the string is not allowed '${text}'`,
  );
}
