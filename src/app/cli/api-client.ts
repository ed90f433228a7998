import { ConfigurationError } from "../configuration.ts";
import { credentialsPath, readCredentials } from "../first-start.ts";

/** Answers of the running server. */
export interface ApiClient {
  /** The project that is worked on. */
  readonly projectId: string;
  /** Throws with the answer's code and detail when it is no success, and with a sentence when nobody answers. */
  call<Body>(method: string, path: string, body?: unknown): Promise<Body>;
}

interface ApiAccess {
  readonly baseUrl: string;
  readonly projectId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

const accept = "application/vnd.atlas.2023-01-01+json";

/**
 * Calls the running server with the service account that `TELAMON_CLIENT_ID` and `TELAMON_CLIENT_SECRET` name, at `TELAMON_API_URL` and in the project
 * `TELAMON_PROJECT_ID`; what is not set is taken from `credentials.json` of the data folder.
 */
export async function connectToApi(
  dataDirectory: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ApiClient> {
  const access = accessOf(dataDirectory, environment);
  const token = await requestToken(access);
  return {
    projectId: access.projectId,
    async call<Body>(method: string, path: string, body?: unknown): Promise<Body> {
      const headers = { accept, authorization: `Bearer ${token}`, "content-type": "application/json" };
      const text = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await send(access, path, { method, headers, ...text });
      return (await parsed(response)) as Body;
    },
  };
}

function accessOf(dataDirectory: string, environment: Readonly<Record<string, string | undefined>>): ApiAccess {
  const kept = readCredentials(dataDirectory);
  const access = {
    baseUrl: environment["TELAMON_API_URL"] ?? kept?.baseUrl,
    projectId: environment["TELAMON_PROJECT_ID"] ?? kept?.groupId,
    clientId: environment["TELAMON_CLIENT_ID"] ?? kept?.serviceAccount.clientId,
    clientSecret: environment["TELAMON_CLIENT_SECRET"] ?? kept?.serviceAccount.clientSecret,
  };
  const { baseUrl, projectId, clientId, clientSecret } = access;
  if (baseUrl === undefined || projectId === undefined || clientId === undefined || clientSecret === undefined)
    throw new ConfigurationError([
      `this needs the running server: set TELAMON_API_URL, TELAMON_PROJECT_ID, TELAMON_CLIENT_ID and TELAMON_CLIENT_SECRET, or have ${credentialsPath(dataDirectory)}`,
    ]);
  return { baseUrl: baseUrl.replace(/\/+$/, ""), projectId, clientId, clientSecret };
}

async function requestToken(access: ApiAccess): Promise<string> {
  const login = Buffer.from(`${access.clientId}:${access.clientSecret}`).toString("base64");
  const response = await send(access, "/api/oauth/token", {
    method: "POST",
    headers: { authorization: `Basic ${login}`, "content-type": "application/x-www-form-urlencoded" },
    body: "grant_type=client_credentials",
  });
  if (!response.ok) throw new Error(`the server at ${access.baseUrl} does not take the service account`);
  return ((await response.json()) as { readonly access_token: string }).access_token;
}

async function send({ baseUrl }: ApiAccess, path: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(baseUrl + path, request);
  } catch {
    throw new Error(`no server answers at ${baseUrl}; start it with telamon serve, or set TELAMON_API_URL`);
  }
}

async function parsed(response: Response): Promise<unknown> {
  const text = await response.text();
  if (response.ok) return text === "" ? {} : (JSON.parse(text) as unknown);
  const { errorCode, detail } = JSON.parse(text) as { readonly errorCode?: string; readonly detail?: string };
  throw new Error(`${errorCode ?? response.status}: ${detail ?? "the server gave no reason"}`);
}
