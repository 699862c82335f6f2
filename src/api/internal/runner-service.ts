import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";

import {
  type AssignmentSchema,
  type GetScriptRequest,
  type GetScriptResponseSchema,
  AttemptRefSchema,
  type ListStepsRequest,
  type ListStepsResponseSchema,
  RunnerService,
  type SyncRequest,
  type SyncResponseSchema,
} from "../../gen/millrace/internal/v1/runner_service_pb.ts";
import { ScriptLanguage } from "../../gen/millrace/v1/job_pb.ts";
import { JobFault } from "../../jobs/errors.ts";
import {
  isId,
  isUuidV7,
  type OrganizationId,
  type RunnerId,
  type ScriptHash,
} from "../../jobs/ids.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { Assignment, AttemptRef } from "../../jobs/report.ts";
import type { RunnerHub, ShardRouter, SyncRequest as CheckedSync } from "../../shard/owner.ts";
import { leaseLost } from "../../shard/commands/report.ts";
import type { CatalogStore } from "../../store/catalog-store.ts";
import type { JobReader } from "../../store/store.ts";
import { traceparentOf } from "../calls.ts";
import { addressKey } from "../caller-context.ts";
import { collectFaults } from "../convert/faults.ts";
import { numberWithin, text } from "../convert/fields.ts";
import { fromWireRef, toWireRef } from "./attempt-ref.ts";
import { awaitChild, type ChildrenApi, submitChild } from "./children.ts";
import { readSteps } from "./steps.ts";

export type RunnerApi = {
  readonly hub: RunnerHub;
  readonly router: ShardRouter;
  readonly jobs: JobReader;
  readonly catalog: Pick<CatalogStore, "find" | "findVersion">;
  /** The own token of an attempt. */
  readonly mint: (ref: AttemptRef) => string;
  /** Internal URLs of all live servers. */
  readonly serverUrls: () => readonly string[];
  readonly children: ChildrenApi;
};

const MAX_SLOTS = 10_000;
const MAX_CAPABILITIES = 1_000;
const CAPABILITY = /^(script|(handler|command):[A-Za-z0-9._-]{1,100})$/;

const HASH = /^[0-9a-f]{64}$/;

const checkSync = (request: SyncRequest): CheckedSync => {
  const faults = collectFaults();
  if (!isUuidV7(request.runnerId)) faults.add("runner_id", "must be a UUIDv7 in lower case.");
  if (request.capabilities.length > MAX_CAPABILITIES) {
    faults.add(
      "capabilities",
      `must be at most ${MAX_CAPABILITIES}; there are ${request.capabilities.length}.`,
    );
  }
  request.capabilities.forEach((capability, index) => {
    if (CAPABILITY.test(capability)) return;
    faults.add(`capabilities[${index}]`, "must be script, handler:<name> or command:<name>.");
  });
  const checked: CheckedSync = {
    runnerId: request.runnerId as RunnerId,
    displayName: text(faults, "display_name", request.displayName, LIMITS.nameLength),
    capabilities: request.capabilities,
    slots: numberWithin(faults, "slots", request.slots, { min: 0, max: MAX_SLOTS }),
    attempts: request.attempts.map(fromWireRef),
    immediate: request.immediate,
  };
  faults.throwIfAny();
  return checked;
};

const toAssignment = (
  assignment: Assignment,
  jobToken: string,
): MessageInitShape<typeof AssignmentSchema> => ({
  attempt: toWireRef(assignment.ref),
  capability: assignment.capability,
  scriptHash: assignment.scriptHash,
  inputJson: assignment.input,
  attemptTimeout: durationFromMs(assignment.attemptTimeoutMs),
  type: assignment.type,
  typeVersion: assignment.typeVersion,
  creatorId: assignment.creatorId,
  runAs: assignment.runAs,
  labels: { ...assignment.labels },
  traceparent: assignment.traceparent,
  jobToken,
});

async function* sync(
  api: RunnerApi,
  request: SyncRequest,
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof SyncResponseSchema>> {
  let serverUrls = [...api.serverUrls()];
  for await (const answer of api.hub.sync(checkSync(request), signal)) {
    yield {
      assignments: answer.assignments.map((one) => toAssignment(one, api.mint(one.ref))),
      cancellations: answer.cancellations.map(toWireRef),
      lost: answer.lost.map(toWireRef),
      serverUrls,
    };
    serverUrls = [];
  }
}

type Named = { readonly hash: string; readonly typeVersion: number };

/** The script that a type is; an empty hash if there is none. A disabled type counts: it is a text. */
const ofType = async (
  { catalog }: RunnerApi,
  organizationId: OrganizationId,
  { type, typeVersion }: GetScriptRequest,
): Promise<Named> => {
  const version =
    typeVersion === 0
      ? (await catalog.find(organizationId, type))?.version
      : await catalog.findVersion(organizationId, type, typeVersion);
  return { hash: version?.scriptHash ?? "", typeVersion: version?.version ?? 0 };
};

const getScript = async (
  api: RunnerApi,
  request: GetScriptRequest,
): Promise<MessageInitShape<typeof GetScriptResponseSchema>> => {
  const organizationId = request.organizationId as OrganizationId;
  const place = { shardId: api.router.shardOf(organizationId), organizationId };
  const named = isId(organizationId);
  const { hash, typeVersion } =
    named && request.type !== ""
      ? await ofType(api, organizationId, request)
      : { hash: request.hash, typeVersion: 0 };
  const script = named && HASH.test(hash) ? await api.jobs.script(place, hash as ScriptHash) : null;
  if (script === null) {
    const what = request.type === "" ? hash : `of the type ${request.type}`;
    throw new JobFault("SCRIPT_NOT_FOUND", `There is no script ${what}.`, { metadata: { hash } });
  }
  return { code: script.code, language: ScriptLanguage[script.language], hash, typeVersion };
};

const listSteps = async (
  { router, jobs }: RunnerApi,
  request: ListStepsRequest,
): Promise<MessageInitShape<typeof ListStepsResponseSchema>> => {
  const faults = collectFaults();
  if (request.attempt === undefined) faults.add("attempt", "is missing.");
  faults.throwIfAny();
  const ref = fromWireRef(request.attempt ?? create(AttemptRefSchema));
  const { organizationId } = ref;
  if (!isId(organizationId) || !isId(ref.jobId)) throw leaseLost(ref);
  const place = { shardId: router.shardOf(organizationId), organizationId };
  const steps = await readSteps(jobs, place, ref);
  return { steps: steps.map(({ name, result }) => ({ name, resultJson: result })) };
};

/** millrace.internal.v1.RunnerService. */
export const runnerServiceRoutes = (router: ConnectRouter, api: RunnerApi): void => {
  router.service(RunnerService, {
    sync: (request, { signal }) => sync(api, request, signal),
    getScript: async (request) => await getScript(api, request),
    listSteps: async (request) => await listSteps(api, request),
    submitChild: async (request, { values, requestHeader }) =>
      await submitChild(api.children, request, {
        address: values.get(addressKey),
        traceparent: traceparentOf(requestHeader),
      }),
    awaitChild: async (request, { signal }) => await awaitChild(api.children, request, signal),
  });
};
