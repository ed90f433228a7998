// Makes the S3 server that the tests run against, so that the time for it is not theirs: `node test/s3/build.ts`. Never fails: without it the tests say why they are skipped.
import { missingServer } from "./versitygw.ts";

console.log(`S3 server of the tests: ${(await missingServer()) ?? "ready"}`);
