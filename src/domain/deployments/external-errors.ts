import { AppError } from "../../shared/app-error.ts";

// The vendor's API knows no deployments that run elsewhere: codes and texts are our own.

export function externalDeploymentNotFound(name: string, projectId: string): AppError {
  return new AppError(
    "not_found",
    "EXTERNAL_DEPLOYMENT_NOT_FOUND",
    `No external deployment named ${name} exists in group ${projectId}.`,
    { parameters: [name, projectId] },
  );
}

/** `text` is a clause without the full stop and never holds a part of the string that could be secret. */
export function connectionStringInvalid(text: string): AppError {
  return new AppError("invalid", "CONNECTION_STRING_INVALID", `The connection string cannot be used: ${text}.`, {
    parameters: [text],
  });
}

export function externalDeploymentsOff(): AppError {
  return new AppError(
    "forbidden",
    "EXTERNAL_DEPLOYMENTS_OFF",
    "The operator of this server lets no external deployments be attached.",
  );
}

export function hostNotAllowed(host: string): AppError {
  return new AppError("forbidden", "HOST_NOT_ALLOWED", `The operator of this server does not let ${host} be reached.`, {
    parameters: [host],
  });
}

/** It was tried and did not work; `text` is a whole sentence for people. */
export function deploymentNotUsable(text: string): AppError {
  return new AppError("invalid", "EXTERNAL_DEPLOYMENT_NOT_USABLE", text, { parameters: [text] });
}

export function deploymentDetached(name: string): AppError {
  return new AppError(
    "conflict",
    "EXTERNAL_DEPLOYMENT_DETACHED",
    `The external deployment ${name} is detached. Give it a connection string first.`,
    { parameters: [name] },
  );
}

export function tooManyExternalDeployments(maximum: number, projectId: string): AppError {
  return new AppError(
    "invalid",
    "EXTERNAL_DEPLOYMENT_LIMIT",
    `Project ${projectId} has the most external deployments it can have (${maximum}).`,
    { parameters: [maximum, projectId] },
  );
}

export function tooManyProbes(): AppError {
  return new AppError(
    "unavailable",
    "TOO_MANY_PROBES",
    "Other deployments are being tried. Try again in a few seconds.",
  );
}
