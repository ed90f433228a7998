import type { Actor } from "../domain/access/actor.ts";
import { type DigestAuthentication, digestAlgorithms, digestRealm } from "../domain/access/digest-authentication.ts";
import { notAuthenticated } from "../domain/access/errors.ts";
import type { TokenAuthentication } from "../domain/access/token-authentication.ts";
import { readAuthorization } from "./authorization-header.ts";

export interface Authenticator {
  /** The caller. Throws the error of `notAuthenticated`; `presented` says whether there were credentials at all. */
  authenticate(method: string, target: string, authorization: string | undefined): Promise<Actor>;
  /** `WWW-Authenticate` values of a 401. MD5 comes first, because the Go client reads only the first, and only these directives, because it fails on others. */
  challenges(stale: boolean): string[];
}

export function createAuthenticator(digest: DigestAuthentication, tokens: TokenAuthentication): Authenticator {
  return {
    async authenticate(method, target, authorization) {
      const presented = readAuthorization(authorization);
      if (presented.kind === "bearer") return tokens.authenticate(presented.token);
      if (presented.kind === "digest") return digest.authenticate(presented.credentials, method, target);
      throw notAuthenticated();
    },
    challenges(stale) {
      return [
        ...digestAlgorithms.map(
          (algorithm) =>
            `Digest realm="${digestRealm}", domain="", nonce="${digest.issueNonce()}", algorithm=${algorithm}, qop="auth", stale=${stale}`,
        ),
        `Bearer realm="${digestRealm}"`,
      ];
    },
  };
}
