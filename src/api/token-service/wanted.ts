import { type CreateTokenRequest, TokenKind } from "../../gen/millrace/v1/token_service_pb.ts";
import { ABILITIES, type Permission, ROLES } from "../../jobs/abilities.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { TokenKind as StoredKind } from "../../store/store.ts";
import { collectFaults, type Faults } from "../convert/faults.ts";
import { durationWithin, text } from "../convert/fields.ts";
import { chosenFrom } from "../convert/tenant.ts";
import { WIRE_KINDS } from "../convert/token.ts";

/** What a CreateTokenRequest says, as far as that can be told without looking anywhere. */
export type WantedToken = {
  readonly kind: StoredKind;
  readonly name: string;
  /** Null: all that its user may. */
  readonly permissions: readonly Permission[] | null;
  /** Null: never. */
  readonly expiresInMs: number | null;
};

const kindOf = (faults: Faults, given: TokenKind): StoredKind => {
  if (given === TokenKind.UNSPECIFIED) return "user";
  const known = (["user", "runner", "operator"] as const).find(
    (kind) => WIRE_KINDS[kind] === given,
  );
  if (known !== undefined) return known;
  faults.add(
    "kind",
    `must be USER, RUNNER or OPERATOR; it is ${given === TokenKind.JOB ? "JOB" : given}.`,
  );
  return "user";
};

const refuseSubject = (faults: Faults, request: CreateTokenRequest): void => {
  const given = {
    organization_id: request.organizationId !== "",
    user_id: request.userId !== "",
    for_organization: request.forOrganization,
    abilities: request.abilities !== undefined,
    roles: request.roles !== undefined,
  };
  for (const [field, isGiven] of Object.entries(given)) {
    if (isGiven) faults.add(field, "must be left out: such a token speaks for nobody.");
  }
};

/** @throws JobFault INVALID_ARGUMENT */
export const checkWanted = (request: CreateTokenRequest): WantedToken => {
  const faults = collectFaults();
  const kind = kindOf(faults, request.kind);
  const { abilities, roles, expiresIn } = request;
  const lifetime = durationWithin(faults, "expires_in", expiresIn, LIMITS.tokenLifetimeMs, 0);
  const permissions =
    abilities === undefined && roles === undefined
      ? null
      : [
          ...chosenFrom(faults, "abilities", ABILITIES, abilities?.names ?? []),
          ...chosenFrom(faults, "roles", ROLES, roles?.names ?? []),
        ];
  if (kind !== "user") refuseSubject(faults, request);
  else if (request.forOrganization) {
    if (request.userId !== "") faults.add("user_id", "must be empty with for_organization.");
    if ((permissions ?? []).length === 0) {
      faults.add("abilities", "are missing: without a user, say what the token may do.");
    }
  }
  const name = text(faults, "name", request.name, LIMITS.tokenNameLength);
  faults.throwIfAny();
  return { kind, name, permissions, expiresInMs: expiresIn === undefined ? null : lifetime };
};
