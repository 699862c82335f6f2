import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createIdentity } from "../../src/identity/identity.ts";
import { bootstrapDevelopment } from "../../src/identity/development.ts";
import { parseToken } from "../../src/identity/token.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";

let store: Store;
let dataDir: string;

beforeEach(async () => {
  store = await openStore("sqlite::memory:");
  dataDir = await mkdtemp(join(tmpdir(), "millrace-dev-"));
});
afterEach(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

const bootstrap = async (url = "http://127.0.0.1:1") => {
  const { identity } = store;
  const internalUrl = "http://127.0.0.1:2";
  return await bootstrapDevelopment({
    identity,
    clock: systemClock,
    random: systemRandom,
    dataDir,
    url,
    internalUrl,
  });
};

const file = () => join(dataDir, "credentials.json");

describe("a development server", () => {
  it("makes tokens for an admin, a runner and an operator, in a file that only its owner reads", async () => {
    const credentials = await bootstrap();
    expect(JSON.parse(await readFile(file(), "utf8"))).toEqual(credentials);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    const { authenticate } = createIdentity({
      store,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      shardOf: () => 0,
      outsideIssuer: null,
      onOrganizations: () => {},
    }).authenticator;
    expect(await authenticate(`Bearer ${credentials.token}`)).toMatchObject({
      kind: "user",
    });
    expect(await authenticate(`Bearer ${credentials.runnerToken}`)).toMatchObject({
      kind: "runner",
    });
    expect(await authenticate(`Bearer ${credentials.operatorToken}`)).toMatchObject({
      kind: "operator",
    });
  });

  it("keeps them over restarts, whatever address it gets", async () => {
    const first = await bootstrap();
    const second = await bootstrap("http://127.0.0.1:3");
    expect(second).toEqual({ ...first, url: "http://127.0.0.1:3" });
  });

  it("makes new ones for the same organization when the file was removed", async () => {
    const first = await bootstrap();
    await rm(file());
    const second = await bootstrap();
    expect(second.organizationId).toBe(first.organizationId);
    expect(second.token).not.toBe(first.token);
  });

  it("makes everything anew when the database was removed", async () => {
    const first = await bootstrap();
    await store.close();
    store = await openStore("sqlite::memory:");
    const second = await bootstrap();
    expect(second.organizationId).not.toBe(first.organizationId);
    expect(second.token).not.toBe(first.token);
  });

  it("replaces a token that was revoked", async () => {
    const first = await bootstrap();
    const { id = "" } = parseToken(first.token) ?? {};
    await store.identity.revokeToken(id, systemClock.now());
    const second = await bootstrap();
    expect(second.token).not.toBe(first.token);
    expect(second.runnerToken).toBe(first.runnerToken);
    expect(second.operatorToken).toBe(first.operatorToken);
  });

  it("adds an operator's token to the file of an earlier version", async () => {
    const { operatorToken: _none, ...earlier } = await bootstrap();
    await writeFile(file(), JSON.stringify(earlier));
    const second = await bootstrap();
    expect(second).toEqual({ ...earlier, operatorToken: expect.stringMatching(/^mr_/) as string });
  });

  it("says which file is damaged rather than overwriting it", async () => {
    await writeFile(file(), "{");
    await expect(bootstrap()).rejects.toThrow(file());
  });
});
