import type { Sealer } from "../../ports/sealer.ts";

/** Bound to the deployment, so that the sealed string of one cannot be put in the place of another's. */
function purposeOf(deploymentId: string): string {
  return `connection string of ${deploymentId}`;
}

export function sealConnectionString(sealer: Sealer, deploymentId: string, text: string): Uint8Array {
  return sealer.seal(Buffer.from(text), purposeOf(deploymentId));
}

/** Throws when the bytes are not what was sealed for that deployment. */
export function unsealConnectionString(sealer: Sealer, deploymentId: string, sealed: Uint8Array): string {
  return Buffer.from(sealer.unseal(sealed, purposeOf(deploymentId))).toString();
}
