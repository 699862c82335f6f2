import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";

import { afterAll, beforeAll, expect, it } from "vitest";

import { namesLeadTo, openEgress, type OpenEgress, PUBLIC } from "../../support/egress-site.ts";
import { EXAMPLE_CERTIFICATE, EXAMPLE_KEY } from "../../support/example-certificate.ts";

let server: Server;
let world: OpenEgress;
let port = 0;
let requests = 0;
const known = getCACertificates("default");

beforeAll(async () => {
  server = createServer({ key: EXAMPLE_KEY, cert: EXAMPLE_CERTIFICATE }, (_request, response) => {
    requests += 1;
    response.end("over TLS");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
  const origins = ["api.example.com", "other.example.com"].map((host) => `https://${host}:${port}`);
  world = openEgress(`egress: { allow: ${JSON.stringify(origins)} }`, {
    network: namesLeadTo(PUBLIC),
  });
});

afterAll(async () => {
  setDefaultCACertificates(known);
  await world.stop();
  await new Promise((resolve) => server.close(resolve));
});

it("a certificate that nobody vouches for is refused", async () => {
  expect(await world.refusal(`https://api.example.com:${port}/`)).toBe(
    `egress.failed: the exchange with https://api.example.com:${port} failed: DEPTH_ZERO_SELF_SIGNED_CERT`,
  );
  expect(requests).toBe(0);
});

it("the certificate has to be of the name, though the connection goes to an address", async () => {
  setDefaultCACertificates([...known, EXAMPLE_CERTIFICATE]);
  expect((await world.fetch(`https://api.example.com:${port}/`)).text).toBe("over TLS");
  expect(await world.refusal(`https://other.example.com:${port}/`)).toBe(
    `egress.failed: the exchange with https://other.example.com:${port} failed: ERR_TLS_CERT_ALTNAME_INVALID`,
  );
  expect(requests).toBe(1);
});
