import { describeBlobStore } from "../../../test/conformance/blob-store.ts";
import { createMemoryBlobStore } from "./memory-blob-store.ts";

describeBlobStore("in memory", async () => ({ blobs: createMemoryBlobStore(), close: async () => undefined }));
