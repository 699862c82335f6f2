import type { Authenticator } from "../../identity/authenticator.ts";
import type { Random } from "../../runtime/random.ts";
import type { JobReader } from "../../store/store.ts";
import type { TenantApi } from "../scope.ts";

/** What the handlers of TokenService work with. */
export type TokenApi = TenantApi & {
  readonly authenticator: Authenticator;
  readonly random: Random;
  readonly jobs: JobReader;
  /** After a revocation: it counts at once on this server. */
  readonly tokenRevoked: (tokenId: string) => void;
};
