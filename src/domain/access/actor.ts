import type { RoleAssignment } from "../../ports/metadata/access-records.ts";

/** The authenticated caller and what it was given. */
export interface Actor {
  /** API key id or client id. */
  readonly principalId: string;
  /** What people know it by: the public key, or the client id. */
  readonly publicName: string;
  readonly kind: "apiKey" | "serviceAccount";
  readonly organizationId: string;
  readonly roles: readonly RoleAssignment[];
}
