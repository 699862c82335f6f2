import type { IncomingMessage, RequestListener } from "node:http";
import { gzipSync } from "node:zlib";

import { expect } from "vitest";

import type { Network } from "../../src/outgoing/network.ts";
import { parseSettings, type RunnerSettings } from "../../runner/settings.ts";
import { echo, PUBLIC, startSite } from "../support/egress-site.ts";

/** What the broker puts in for scripts. */
export const SECRET = "value-of-the-operator/+1";

/** What the attackers' runner can reach on the network, and what it must not. */
export type Surroundings = {
  readonly settings: RunnerSettings;
  readonly network: Network;
  /** `open` is that of a server which may be reached, `shut` that of one which may not. */
  readonly ports: { readonly open: number; readonly shut: number };
  /** All requests that arrived. */
  readonly heard: readonly IncomingMessage[];
  /** Texts that no script may see: the secret, and each token that went out. */
  hidden(): readonly string[];
  /** @throws if a packet has arrived where none may */
  untouched(): void;
  close(): Promise<void>;
};

const BOMB = gzipSync(Buffer.alloc(1024 * 1024));
const CHUNK = Buffer.alloc(16 * 1024);

/** Says what it was told in all ways that a script might read. */
const tell: RequestListener = ({ headers }, response) => {
  const told = [String(headers["x-key"] ?? ""), headers.authorization ?? ""].join(" ");
  const base64 = Buffer.from(told).toString("base64");
  response.writeHead(200, told, { "x-told": told, location: `/${encodeURIComponent(told)}` });
  response.end(JSON.stringify([told, base64, encodeURIComponent(told)]));
};

const endless: RequestListener = (_request, response) => {
  const more = (): void => {
    while (!response.destroyed && response.write(CHUNK)) continue;
  };
  response.on("drain", more);
  more();
};

const answers: Readonly<Record<string, RequestListener>> = {
  bomb: (_request, response) => {
    response.setHeader("content-encoding", "gzip").end(BOMB);
  },
  endless,
  slow: (_request, response) => {
    response.write("x");
  },
  never: () => {},
  tell,
};

const listener: RequestListener = (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://site");
  const to = searchParams.get("to");
  const answer = answers[pathname.replace(/^\/core\//, "")] ?? echo;
  if (to === null) answer(request, response);
  else response.writeHead(307, { location: to }).end();
};

/** By the first label. Of what `turns` leads to, every second answer is this machine. */
const resolver = (): Network["resolve"] => {
  let turn = 0;
  const byLabel: Readonly<Record<string, () => readonly string[]>> = {
    inside: () => ["10.0.0.1"],
    mapped: () => ["::ffff:10.0.0.1"],
    metadata: () => ["169.254.169.254"],
    loop: () => ["::1"],
    both: () => [PUBLIC, "127.0.0.1"],
    localhost: () => ["127.0.0.1"],
    turns: () => [turn++ % 2 === 0 ? PUBLIC : "127.0.0.1"],
  };
  return async (host) => {
    const addresses = byLabel[host.split(".")[0] ?? ""] ?? (() => [PUBLIC]);
    return await Promise.resolve(addresses());
  };
};

/** `other` is an organization whose upstreams and secrets are not the attackers'. */
export const startSurroundings = async (other: string): Promise<Surroundings> => {
  const site = await startSite(listener);
  const forbidden = await startSite(echo);
  const url = `"http://127.0.0.1:${site.port}/core/"`;
  const settings = parseSettings(
    `
upstreams:
  core: { url: ${url}, token: job }
  small: { url: ${url}, max_response_bytes: 100000 }
  quick: { url: ${url}, timeout_seconds: 0.2 }
  others: { url: "http://127.0.0.1:${forbidden.port}/", organizations: [${other}] }
egress:
  allow:
    - http://*.example.org:${site.port}
    - http://*.example.org:${forbidden.port}
    - http://localhost:${forbidden.port}
secrets:
  key: { value: ${JSON.stringify(SECRET)}, upstreams: [core] }
  others_key: { value: ${JSON.stringify(SECRET)}, upstreams: [core], organizations: [${other}] }
`,
    "runner.yaml",
  );
  const tokens = new Set<string>();
  return {
    settings,
    // Whatever is dialled leads here, so that what should not have been dialled is heard of.
    network: { resolve: resolver(), dial: () => "127.0.0.1" },
    ports: { open: site.port, shut: forbidden.port },
    heard: site.heard,
    hidden: () => {
      for (const { headers } of site.heard) {
        const { authorization = "" } = headers;
        if (authorization.startsWith("Bearer mr"))
          tokens.add(authorization.slice("Bearer ".length));
      }
      const texts = [SECRET, ...tokens];
      return texts.flatMap((text) => [
        text,
        encodeURIComponent(text),
        Buffer.from(text).toString("base64").slice(0, -4),
      ]);
    },
    untouched: () => {
      expect(forbidden.connections(), forbidden.requests.join()).toBe(0);
    },
    close: async () => {
      await site.close();
      await forbidden.close();
    },
  };
};
