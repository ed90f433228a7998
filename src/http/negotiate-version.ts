import { invalidVersionDate } from "./request-errors.ts";

const firstVersion = "2023-01-01";

/**
 * Chooses among an operation's versions for an `Accept` header: the newest version not after the date asked for. Several types are tried in the
 * client's order of preference. Throws `INVALID_VERSION_DATE` (406) when none fits.
 */
export function createVersionNegotiator(versions: readonly string[]): (accept: string | undefined) => string {
  const newestFirst = versions.toSorted().toReversed();
  // Clients send the same few headers for ever; what was decided once need not be parsed again.
  const decided = new Map<string, string>();

  return (accept) => {
    if (accept === undefined) throw invalidVersionDate();
    const known = decided.get(accept);
    if (known !== undefined) return known;
    for (const date of requestedDates(accept)) {
      const version = newestFirst.find((candidate) => candidate <= date);
      if (version === undefined) continue;
      if (decided.size < 100) decided.set(accept, version);
      return version;
    }
    throw invalidVersionDate();
  };
}

/** Dates of the `application/vnd.atlas.<date>+json` types in a header, most preferred first (RFC 9110, section 12.5.1). */
function requestedDates(accept: string): readonly string[] {
  return accept
    .split(",", 20)
    .map((range) => {
      const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
      const date = /^application\/vnd\.atlas\.(\d{4}-\d{2}-\d{2})\+json$/i.exec(type)?.[1];
      const quality = parameters
        .map((parameter) => /^q=([01](?:\.\d{0,3})?)$/i.exec(parameter)?.[1])
        .find((value) => value !== undefined);
      return { date, quality: quality === undefined ? 1 : Number(quality) };
    })
    .filter(
      (range): range is { date: string; quality: number } =>
        range.date !== undefined && range.quality > 0 && isCalendarDate(range.date),
    )
    .toSorted((one, other) => other.quality - one.quality)
    .map((range) => range.date);
}

function isCalendarDate(date: string): boolean {
  const timeMs = Date.parse(`${date}T00:00:00Z`);
  return date >= firstVersion && !Number.isNaN(timeMs) && new Date(timeMs).toISOString().startsWith(date);
}
