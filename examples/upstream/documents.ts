import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/**
 * Another layer of a system: it keeps documents of users, and tokens of theirs in sets. Whoever calls it brings a bearer token, and
 * all that it knows of him is what Millrace's IntrospectToken says.
 */
export type Documents = {
  /** Below which it answers. */
  readonly url: string;
  /** The last token that was brought, so that it can be shown to be dead after its job. */
  lastToken(): string;
  close(): Promise<void>;
};

/** What IntrospectToken answers, as far as it matters here. */
type Known = { readonly active?: boolean; readonly userId?: string; readonly jobId?: string };

type Document = { readonly title: string; readonly writtenByJob: string };

/** Tokens that users have made, and the sets into which they have put them. */
type Tokens = { readonly made: Map<string, string>; readonly sets: Map<string, string[]> };

/** `millraceUrl` is asked for when the first call comes. */
export const startDocuments = async (millraceUrl: () => string): Promise<Documents> => {
  const byUser = new Map<string, Document[]>();
  const tokens: Tokens = { made: new Map(), sets: new Map() };
  let lastToken = "";

  /** A token may ask about itself: this service needs no credentials of its own. */
  const introspect = async (token: string): Promise<Known> => {
    const response = await fetch(`${millraceUrl()}/millrace.v1.TokenService/IntrospectToken`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: "{}",
    });
    return response.ok ? ((await response.json()) as Known) : { active: false };
  };

  const answerTokens = async (
    request: IncomingMessage,
    path: string,
    user: string,
  ): Promise<readonly [number, unknown]> => {
    if (request.method !== "POST") return [405, { error: "POST" }];
    const body = (await json(request)) as { readonly purpose?: string; readonly token_id?: string };
    if (path === "tokens") {
      const id = `t${tokens.made.size + 1}`;
      tokens.made.set(id, user);
      return [201, { id, purpose: body.purpose ?? "" }];
    }
    const set = path.slice("sets/".length);
    const id = body.token_id ?? "";
    if (tokens.made.get(id) !== user) return [404, { error: `you have no token ${id}` }];
    const members = [...(tokens.sets.get(set) ?? []), id];
    tokens.sets.set(set, members);
    return [200, { set, tokens: members }];
  };

  const answer = async (request: IncomingMessage): Promise<readonly [number, unknown]> => {
    const [, token = ""] = /^Bearer (.+)$/.exec(request.headers.authorization ?? "") ?? [];
    if (token === "") return [401, { error: "bring a bearer token" }];
    lastToken = token;
    const { active, userId = "", jobId = "" } = await introspect(token);
    if (active !== true) return [401, { error: "that token is worth nothing" }];
    const [, path = ""] = /^\/api\/(tokens|sets\/[a-z]+)$/.exec(request.url ?? "") ?? [];
    if (path !== "") return await answerTokens(request, path, userId);
    if (request.url !== "/api/documents")
      return [404, { error: "there are documents, tokens and sets" }];
    const own = byUser.get(userId) ?? [];
    byUser.set(userId, own);
    if (request.method === "GET") return [200, { user: userId, documents: own }];
    if (request.method !== "POST") return [405, { error: "GET or POST" }];
    const { title = "" } = (await json(request)) as { readonly title?: string };
    own.push({ title, writtenByJob: jobId });
    return [201, own.at(-1)];
  };

  const server = createServer((request, response) => {
    void answer(request)
      .catch((cause: unknown) => [500, { error: String(cause) }] as const)
      .then(([status, body]) => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/api/`,
    lastToken: () => lastToken,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
