import { describeMetadata } from "../../../test/conformance/metadata.ts";
import { openTemporaryMetadata } from "../../../test/support/temporary-metadata.ts";
import { createSqliteMetadata } from "./sqlite-metadata.ts";

describeMetadata("SQLite in a file", openTemporaryMetadata);

describeMetadata("SQLite in memory", async () => {
  const metadata = await createSqliteMetadata({ path: ":memory:" });
  return { metadata, close: () => metadata.close() };
});
