import { invalidProvider, invalidRegion } from "./errors.ts";

/**
 * Where the vendor offered serverless instances, spelled as its API does. Here a region is a label that clients send and expect back:
 * everything runs where this process runs.
 */
const regionsOf: Readonly<Record<string, readonly string[]>> = {
  AWS: [
    "US_EAST_1",
    "US_EAST_2",
    "US_WEST_1",
    "US_WEST_2",
    "CA_CENTRAL_1",
    "SA_EAST_1",
    "EU_WEST_1",
    "EU_WEST_2",
    "EU_WEST_3",
    "EU_CENTRAL_1",
    "EU_NORTH_1",
    "EU_SOUTH_1",
    "ME_SOUTH_1",
    "AF_SOUTH_1",
    "AP_EAST_1",
    "AP_SOUTH_1",
    "AP_SOUTHEAST_1",
    "AP_SOUTHEAST_2",
    "AP_NORTHEAST_1",
    "AP_NORTHEAST_2",
  ],
  AZURE: [
    "US_EAST",
    "US_EAST_2",
    "US_CENTRAL",
    "US_WEST",
    "US_WEST_2",
    "CANADA_CENTRAL",
    "BRAZIL_SOUTH",
    "EUROPE_NORTH",
    "EUROPE_WEST",
    "UK_SOUTH",
    "ASIA_EAST",
    "ASIA_SOUTH_EAST",
    "AUSTRALIA_EAST",
    "INDIA_CENTRAL",
    "JAPAN_EAST",
  ],
  GCP: [
    "CENTRAL_US",
    "EASTERN_US",
    "US_EAST_4",
    "WESTERN_US",
    "US_WEST_2",
    "NORTH_AMERICA_NORTHEAST_1",
    "SOUTH_AMERICA_EAST_1",
    "WESTERN_EUROPE",
    "EUROPE_NORTH_1",
    "EUROPE_WEST_2",
    "EUROPE_WEST_3",
    "EASTERN_ASIA_PACIFIC",
    "NORTHEASTERN_ASIA_PACIFIC",
    "SOUTHEASTERN_ASIA_PACIFIC",
    "ASIA_SOUTH_1",
    "AUSTRALIA_SOUTHEAST_1",
  ],
};

/** Throws `INVALID_PROVIDER` or `INVALID_REGION`. */
export function checkRegion(providerName: string, regionName: string): void {
  if (!Object.hasOwn(regionsOf, providerName)) throw invalidProvider(providerName);
  if (regionsOf[providerName]?.includes(regionName) !== true) throw invalidRegion(regionName, providerName);
}
