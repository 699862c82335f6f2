import type { Random } from "../runtime/random.ts";

/** As many bytes as the digest that it keys. */
const SECRET_BYTES = 32;

/** A secret of Standard Webhooks: `whsec_` and a key in base64. */
export const freshSigningSecret = (random: Pick<Random, "secret">): string =>
  `whsec_${Buffer.from(random.secret(SECRET_BYTES), "base64url").toString("base64")}`;
