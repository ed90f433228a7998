import { Type } from "typebox";

/** The project. Its form is checked by looking it up: a malformed id tells no more than an unknown one. */
export const groupId = Type.String({
  description: "24 hexadecimal digits that identify the project.",
  examples: ["32b6e34b3d91647abb20e7b8"],
});

/** Name of a serverless instance. */
export const instanceName = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[a-zA-Z0-9][a-zA-Z0-9-]*$",
  description: "Name of the serverless instance.",
});

/** Name of a deployment that runs elsewhere; the rules are those of instances. */
export const deploymentName = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[a-zA-Z0-9][a-zA-Z0-9-]*$",
  description: "Name of the external deployment.",
});

/** Name of a cluster, which here is a deployment that runs elsewhere. */
export const clusterName = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[a-zA-Z0-9][a-zA-Z0-9-]*$",
  description: "Name of the cluster.",
});

/** Name of a deployment of any kind. */
export const anyDeploymentName = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[a-zA-Z0-9][a-zA-Z0-9-]*$",
  description: "Name of the deployment, of whatever kind.",
});

export const snapshotId = Type.String({
  minLength: 1,
  maxLength: 64,
  description: "24 hexadecimal digits that identify the snapshot.",
});
export const restoreJobId = Type.String({
  minLength: 1,
  maxLength: 64,
  description: "24 hexadecimal digits that identify the restore job.",
});
export const databaseName = Type.String({
  minLength: 1,
  maxLength: 64,
  description: "Authentication database; `admin` for users with a password.",
});
export const username = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: "Name of the database user, percent-encoded.",
});
