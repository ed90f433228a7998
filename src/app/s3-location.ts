/** A bucket, or a part of one, and the way to it. */
export interface S3Location {
  readonly kind: "s3";
  readonly bucket: string;
  /** Stands before every key: empty, or with a slash at its end. */
  readonly prefix: string;
  /** Undefined: AWS. */
  readonly endpoint: string | undefined;
  /** Undefined: where the SDK finds it. */
  readonly region: string | undefined;
  readonly pathStyle: boolean;
  readonly objectLock: { readonly mode: "GOVERNANCE" | "COMPLIANCE"; readonly days: number } | undefined;
}

/** Texts of the settings; empty where they are not given. */
export interface S3Values {
  readonly endpoint: string;
  readonly region: string;
  readonly addressing: string;
  readonly objectLock: string;
}

/** S3 takes up to a hundred years. */
const lockDaysMax = 36_500;
/** Prefix and the longest key of the store, 512 characters, stay below the 1024 that S3 takes. */
const prefixMax = 500;

/** Reads `s3://BUCKET[/PREFIX]` and its settings; what is wrong is added to `problems`. */
export function parseS3Location(text: string, values: S3Values, problems: string[]): S3Location {
  const [, bucket = "", rest = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(text) ?? [];
  // Not the text: whoever mistakes the setting may have put a secret there.
  if (bucket === "")
    problems.push("--blobs must be s3://BUCKET or s3://BUCKET/PREFIX, with a bucket's name as S3 has them");
  const prefix = rest.replace(/\/$/, "");
  if (prefix !== "" && (prefix.length > prefixMax || !/^[\w.-]+(\/[\w.-]+)*$/.test(prefix)))
    problems.push(
      `the prefix in --blobs must be at most ${prefixMax} letters, digits, dots, dashes and single slashes`,
    );
  const { endpoint, region, addressing } = values;
  if (!["auto", "path", "virtual"].includes(addressing))
    problems.push(`--s3-addressing must be one of auto, path, virtual, not ${addressing}`);
  return {
    kind: "s3",
    bucket,
    prefix: prefix === "" ? "" : `${prefix}/`,
    endpoint: parseEndpoint(endpoint, problems),
    region: region === "" ? undefined : region,
    pathStyle: addressing === "path" || (addressing === "auto" && endpoint !== ""),
    objectLock: parseObjectLock(values.objectLock, problems),
  };
}

function parseEndpoint(text: string, problems: string[]): string | undefined {
  if (text === "") return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "")
    problems.push("--s3-endpoint must be an http or https URL without query");
  else if (url.username !== "" || url.password !== "")
    problems.push("--s3-endpoint must have no credentials in it; they are read from where the AWS tools have them");
  return text.replace(/\/+$/, "");
}

function parseObjectLock(text: string, problems: string[]): S3Location["objectLock"] {
  if (text === "off") return undefined;
  const [, mode, digits] = /^(governance|compliance):(\d{1,5})$/.exec(text) ?? [];
  const days = Number(digits);
  if (!(days >= 1 && days <= lockDaysMax))
    problems.push(`--s3-object-lock must be off, governance:DAYS or compliance:DAYS with 1 to ${lockDaysMax} days`);
  return { mode: mode === "compliance" ? "COMPLIANCE" : "GOVERNANCE", days };
}
