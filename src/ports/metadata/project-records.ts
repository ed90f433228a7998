import type { Page, PageRequest } from "../../shared/page.ts";

export interface OrganizationRecord {
  readonly id: string;
  readonly name: string;
  readonly createdAtMs: number;
}

export interface OrganizationRecords {
  insert(organization: OrganizationRecord): Promise<void>;
  find(id: string): Promise<OrganizationRecord | undefined>;
  /** Whether there is any; the first start makes one. */
  any(): Promise<boolean>;
  /** Of every organization; there are few. */
  ids(): Promise<readonly string[]>;
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface ProjectRecord {
  readonly id: string;
  readonly organizationId: string;
  /** Unique within the organization. */
  readonly name: string;
  readonly createdAtMs: number;
  /** Undefined when none were ever given: a create answer leaves `tags` out then. */
  readonly tags: readonly Tag[] | undefined;
  readonly withDefaultAlertsSettings: boolean;
}

export interface ProjectRecords {
  /** Throws `MetadataConflict` when the organization has one of that name. */
  insert(project: ProjectRecord): Promise<void>;
  find(id: string): Promise<ProjectRecord | undefined>;
  findByName(organizationId: string, name: string): Promise<ProjectRecord | undefined>;
  /** How many projects the organization has. */
  countOf(organizationId: string): Promise<number>;
  /** Projects of whole organizations or by their own ids (what a caller may see), by name in byte order. */
  page(
    visible: { readonly organizationIds: readonly string[]; readonly projectIds: readonly string[] },
    page: PageRequest,
  ): Promise<Page<ProjectRecord>>;
}

/** A unique rule of the metadata was broken; nothing was written. */
export class MetadataConflict extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "MetadataConflict";
  }
}
