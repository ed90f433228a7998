import type { MetadataRecords } from "../../ports/metadata/metadata.ts";

/** Records kept at most, in all answers together. */
const keptRecordsMax = 20_000;

/**
 * Answers of the reads that every request makes, kept until anything is written: this process holds the database alone, so that what was read is true until its own next
 * write. An answer that was read before a write and arrives after it is not kept.
 */
export class ReadMemory {
  #generation = 0;
  readonly #kept = new Map<string, unknown>();
  #records = 0;

  /** Something was written; to be called in the same turn of the event loop. */
  changed(): void {
    this.#generation += 1;
    if (this.#kept.size === 0) return;
    this.#kept.clear();
    this.#records = 0;
  }

  /** `records` is how many an answer holds at most. */
  async read<Answer>(key: string, read: () => Promise<Answer>, records: number = 1): Promise<Answer> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept as Answer;
    const generation = this.#generation;
    const answer = await read();
    const fits = answer !== undefined && generation === this.#generation && this.#records + records <= keptRecordsMax;
    if (fits && !this.#kept.has(key)) {
      this.#kept.set(key, answer);
      this.#records += records;
    }
    return answer;
  }
}

/** The same records, with the reads of every request remembered. */
export function remembering(records: MetadataRecords, memory: ReadMemory): MetadataRecords {
  const { access, projects, deployments, snapshots } = records;
  return {
    ...records,
    access: {
      ...access,
      findToken: (tokenHash) =>
        memory.read(`token ${Buffer.from(tokenHash).toString("latin1")}`, () => access.findToken(tokenHash)),
      findApiKeyByPublicKey: (publicKey) =>
        memory.read(`key ${publicKey}`, () => access.findApiKeyByPublicKey(publicKey)),
    },
    projects: { ...projects, find: (id) => memory.read(`project ${id}`, () => projects.find(id)) },
    deployments: {
      ...deployments,
      findByName: (projectId, name) =>
        memory.read(`deployment ${projectId} ${name}`, () => deployments.findByName(projectId, name)),
    },
    snapshots: {
      ...snapshots,
      page: (deploymentId, page) =>
        memory.read(
          `snapshots ${deploymentId} ${page.pageNumber} ${page.itemsPerPage} ${page.includeCount}`,
          () => snapshots.page(deploymentId, page),
          page.itemsPerPage,
        ),
    },
  };
}
