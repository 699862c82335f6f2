import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { parseSettings, type RunnerSettings, SettingsFault } from "../../../runner/settings.ts";

let folder = "";
let file = "";

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "millrace-settings-"));
  file = path.join(folder, "key");
  await writeFile(file, "value-from-a-file\n", { mode: 0o600 });
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

const faultOf = (yaml: string): string => {
  try {
    parseSettings(yaml, "runner.yaml");
  } catch (cause) {
    if (cause instanceof SettingsFault) return cause.message;
    throw cause;
  }
  return "none";
};

it("what is not said is strict: no token, no headers, no origin", () => {
  const settings = parseSettings("upstreams: { core: { url: 'https://core.internal/api' } }", "x");
  expect(settings.egress).toBeUndefined();
  expect(settings.upstreams["core"]).toMatchObject({
    url: new URL("https://core.internal/api/"),
    token: "none",
    timeout_seconds: 30,
    max_response_bytes: 4 * 1024 * 1024,
    headers: {},
  });
});

it("a secret is read from its file, without the line break at its end", async () => {
  const read = (): RunnerSettings["secrets"][string] | undefined =>
    parseSettings(
      `{ upstreams: { core: { url: "http://core/" } }, secrets: { key: { file: ${file}, upstreams: [core] } } }`,
      "x",
    ).secrets["key"];
  expect(read()).toMatchObject({ value: "value-from-a-file", loose: false });
  await chmod(file, 0o644);
  expect(read()).toMatchObject({ loose: true });
});

it.each([
  ["upstreams: { core: { url: ftp://core/ } }", "upstreams.core.url"],
  ["upstreams: { core: { url: nonsense } }", "upstreams.core.url"],
  ["upstreams: { core: { url: 'http://a:b@core/' } }", "upstreams.core.url"],
  ["upstreams: { core: { url: 'http://core/?x=1' } }", "upstreams.core.url"],
  ["upstreams: { core: {} }", "upstreams.core.url"],
  ["upstreams: { core: { url: 'http://core/', organizations: [dev] } }", "not its name"],
  ["secrets: { key: { value: !env SECRET_KEY, upstreams: [core] } }", "Unresolved tag: !env"],
  ["upstreams: { Core: { url: 'http://core/' } }", "upstreams.Core"],
  ["upstreams: { core: { url: 'http://core/', token: user } }", "upstreams.core.token"],
  ["upstreams: { core: { url: 'http://core/', typo: 1 } }", "typo"],
  ["upstreams: { core: { url: 'http://core/', timeout_seconds: 301 } }", "timeout_seconds"],
  [
    "upstreams: { core: { url: 'http://core/', max_response_bytes: 99999999 } }",
    "max_response_bytes",
  ],
  ["upstreams: { core: { url: 'http://core/', headers: { host: x } } }", "headers.host"],
  ["upstreams: { core: { url: 'http://core/', headers: { 'a b': x } } }", "upstreams.core.headers"],
  [
    "upstreams: { core: { url: 'http://core/', headers: { a: \"x\\r\\ny\" } } }",
    "upstreams.core.headers.a",
  ],
  [
    "upstreams: { core: { url: 'http://core/', token: job, headers: { Authorization: x } } }",
    "upstreams.core.headers",
  ],
  [
    "upstreams: { core: { url: 'http://core/', headers: { a: '${secrets.none}' } } }",
    "there is no secret none",
  ],
  [
    "{ upstreams: { core: { url: 'http://core/', headers: { a: '${secrets.key}' } }, b: { url: 'http://b/' } }, secrets: { key: { value: 12345678x, upstreams: [b] } } }",
    "does not name the upstream core",
  ],
  ["egress: { allow: [] }", "egress.allow"],
  ["egress: {}", "egress.allow"],
  ["egress: { allow: ['https://*'] }", "egress.allow[0]"],
  ["egress: { allow: ['https://*.com'] }", "egress.allow[0]"],
  ["egress: { allow: ['https://a.*.com'] }", "egress.allow[0]"],
  ["egress: { allow: ['https://*.*.example.com'] }", "egress.allow[0]"],
  ["egress: { allow: ['https://api.example.com/path'] }", "egress.allow[0]"],
  ["egress: { allow: ['https://u:p@api.example.com'] }", "egress.allow[0]"],
  ["egress: { allow: ['http://127.1'] }", "must not be a private address"],
  ["egress: { allow: ['http://[::1]:80'] }", "must not be a private address"],
  ["egress: { allow: ['api.example.com'] }", "egress.allow[0]"],
  ["egress: { allow: ['ws://api.example.com'] }", "egress.allow[0]"],
  ["egress: { allow: ['https://api.example.com'], proxy: x }", "proxy"],
  ["secrets: { key: { upstreams: [core] } }", "needs either file or value"],
  ["secrets: { key: { value: a, file: b, upstreams: [core] } }", "needs either file or value"],
  [
    "secrets: { key: { value: short, upstreams: [core] } }",
    "has 5 characters; 8 to 8192 are allowed",
  ],
  ["secrets: { key: { file: /nowhere/at/all, upstreams: [core] } }", "secrets.key.file"],
  ["secrets: { key: { value: long enough } }", "needs upstreams or origins to go to"],
  ["secrets: { key: { value: long enough, upstreams: [core] } }", "there is no upstream core"],
  [
    "secrets: { key: { value: long enough, origins: ['https://api.example.com'] } }",
    "https://api.example.com is not in egress.allow",
  ],
  [
    "{ egress: { allow: ['https://api.example.com'] }, secrets: { key: { value: long enough, origins: ['https://*.example.com'] } } }",
    "https://*.example.com is not in egress.allow",
  ],
  ["secrets: { 1key: { value: long enough, upstreams: [core] } }", "secrets"],
])("%s is refused, with its place", (yaml, told) => {
  expect(faultOf(yaml)).toContain(told);
});

it("a fault never shows the value of a secret", () => {
  const yaml = "secrets: { key: { value: very-secret-value, upstreams: [core], typo: 1 } }";
  expect(faultOf(yaml)).not.toContain("very-secret");
});

it("an origin of a secret may be one of those that a wildcard allows", () => {
  expect(
    faultOf(
      "{ egress: { allow: ['https://*.example.com'] }, secrets: { key: { value: long enough, origins: ['https://a.example.com'] } } }",
    ),
  ).toBe("none");
});
