/** When each stored object was last read and authenticated. */
export interface ObjectCheckRecords {
  /** Takes up objects that are new (never checked), and drops those that are not in the store any more. */
  replaceWith(objectKeys: ReadonlySet<string>): Promise<void>;
  /** Least recently checked first. */
  leastRecent(limit: number): Promise<readonly { readonly objectKey: string; readonly checkedAtMs: number }[]>;
  checked(objectKeys: Iterable<string>, atMs: number): Promise<void>;
}
