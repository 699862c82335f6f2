import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** An issuer of JWTs with a real key set behind a real address. */
export type OutsideIssuer = {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  /** How often the keys were fetched. */
  fetches(): number;
  /** From now on the keys are answered with this status. */
  answer(status: number): void;
  /** A new key pair under this id; it alone is published from then on. */
  rotate(kid: string): Promise<SigningKey>;
  /** A JWT that is good for an hour, unless `claims` say otherwise. */
  sign(key: SigningKey, claims: Readonly<Record<string, unknown>>): Promise<string>;
  close(): Promise<void>;
};

export type SigningKey = {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
};

const ISSUER = "https://issuer.example";
const AUDIENCE = "millrace";

export const startOutsideIssuer = async (): Promise<OutsideIssuer> => {
  let keys: JWK[] = [];
  let fetches = 0;
  let status = 200;
  const server = createServer((_request, response) => {
    fetches += 1;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    issuer: ISSUER,
    audience: AUDIENCE,
    jwksUrl: `http://127.0.0.1:${port}/keys`,
    fetches: () => fetches,
    answer: (next) => {
      status = next;
    },
    rotate: async (kid) => {
      const alg = "ES256";
      const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
      keys = [{ ...(await exportJWK(publicKey)), kid, alg, use: "sig" }];
      return { kid, alg, privateKey, publicKey };
    },
    sign: async ({ kid, alg, privateKey }, claims) => {
      const now = Math.floor(Date.now() / 1_000);
      const standard = { iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + 3_600 };
      return await new SignJWT({ ...standard, ...claims })
        .setProtectedHeader({ alg, kid })
        .sign(privateKey);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
