import { createInputCheck } from "../../catalog/input-check.ts";
import { bindingsOf, InputDraft, pickFrom } from "../../jobs/bindings.ts";
import type { JobRow, JsonText } from "../../jobs/job.ts";
import { hasEnded } from "../../jobs/states.ts";
import { heardAll } from "../../runtime/event-loop.ts";
import type { Place } from "../../store/store.ts";
import type { JobApi } from "./api.ts";

/** Results that are in memory at once: each may have a megabyte. */
const READ_AT_ONCE = 4;

/**
 * The input of a job as it has it: with the values of others in it, once all of these have ended, and
 * with the defaults of its type's schema. Until then, and if it cannot have them, as it was
 * submitted. Null if there is no such job.
 */
export const readInput = async (
  { jobs, types, schemas }: Pick<JobApi, "jobs" | "types" | "schemas">,
  place: Place,
  { id, type, typeVersion }: Pick<JobRow, "id" | "type" | "typeVersion">,
): Promise<JsonText | null> => {
  const spec = await jobs.input(place, id);
  if (spec === null || spec.bindings === "") return spec?.input ?? null;
  const draft = new InputDraft(spec.input);
  const takers = Map.groupBy(bindingsOf(spec.bindings), ({ upstreamId }) => upstreamId);
  const upstreams = [...takers];
  for (let at = 0; at < upstreams.length; at += READ_AT_ONCE) {
    const page = upstreams.slice(at, at + READ_AT_ONCE);
    const results = await jobs.results(
      place,
      page.map(([upstreamId]) => upstreamId),
    );
    for (const result of results) {
      if (!hasEnded(result.state)) return spec.input;
      const pick = pickFrom(result);
      for (const binding of takers.get(result.id) ?? []) draft.add(binding, pick(binding));
    }
    await heardAll();
    if (draft.hasFailed || results.length < page.length) return spec.input;
  }
  const resolved = draft.finish();
  if (resolved.kind === "failed") return spec.input;
  if (type === "") return resolved.input;
  const check = createInputCheck({ types, schemas });
  const { organizationId } = place;
  const checked = await check(organizationId, { type, typeVersion, input: resolved.input });
  return checked.kind === "input" ? checked.input : resolved.input;
};
