import type { MetadataRecords } from "../../ports/metadata/metadata.ts";

/** Answers kept at most, and the largest page that is. */
const keptMax = 500;
const pageMax = 100;

/**
 * Answers of the reads that every request makes, kept until anything is written: this process holds the database alone, so that what was read is true until its own next
 * write. An answer that was read before a write and arrives after it is not kept.
 */
export class ReadMemory {
  #generation = 0;
  readonly #kept = new Map<string, unknown>();

  /** Something was written; to be called in the same turn of the event loop. */
  changed(): void {
    this.#generation += 1;
    if (this.#kept.size > 0) this.#kept.clear();
  }

  async read<Answer>(key: string, read: () => Promise<Answer>): Promise<Answer> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept as Answer;
    const generation = this.#generation;
    const answer = await read();
    if (answer !== undefined && generation === this.#generation && this.#kept.size < keptMax)
      this.#kept.set(key, answer);
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
        page.itemsPerPage > pageMax
          ? snapshots.page(deploymentId, page)
          : memory.read(`snapshots ${deploymentId} ${page.pageNumber} ${page.itemsPerPage} ${page.includeCount}`, () =>
              snapshots.page(deploymentId, page),
            ),
    },
  };
}
