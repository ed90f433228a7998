import { type Static, Type } from "typebox";
import type { ProjectRecord } from "../../ports/metadata/project-records.ts";
import { DateTimeText, type Href, Link, ObjectIdText, presentTime, relation, ResourceTags } from "../shapes.ts";

/** A project (the API says group) as the API shows it. */
export const Group = Type.Object(
  {
    clusterCount: Type.Integer({ description: "Instances in the project." }),
    created: DateTimeText,
    id: ObjectIdText,
    links: Type.Array(Link),
    name: Type.String(),
    orgId: ObjectIdText,
    tags: Type.Optional(ResourceTags),
    withDefaultAlertsSettings: Type.Boolean(),
  },
  { $id: "Group" },
);

const relatedResources = ["containers", "clusters", "databaseUsers", "peers", "processes", "whitelist"] as const;

/** The record as a single resource, with links to what belongs to it. */
export function presentGroup(project: ProjectRecord, clusterCount: number, href: Href): Static<typeof Group> {
  const self = `/api/atlas/v2/groups/${project.id}`;
  return {
    ...presentListedGroup(project, clusterCount, href),
    links: [
      { href: href(self), rel: "self" },
      ...relatedResources.map((name) => ({ href: href(`${self}/${name}`), rel: relation(name) })),
    ],
  };
}

/** The record as one of a list: `self` is its only link. */
export function presentListedGroup(project: ProjectRecord, clusterCount: number, href: Href): Static<typeof Group> {
  return {
    clusterCount,
    created: presentTime(project.createdAtMs),
    id: project.id,
    links: [{ href: href(`/api/atlas/v2/groups/${project.id}`), rel: "self" }],
    name: project.name,
    orgId: project.organizationId,
    tags: [...(project.tags ?? [])],
    withDefaultAlertsSettings: project.withDefaultAlertsSettings,
  };
}
