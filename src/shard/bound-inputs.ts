import {
  bindingsOf,
  InputDraft,
  pickFrom,
  type Resolved,
  type Upstream,
} from "../jobs/bindings.ts";
import type { JobId, OrganizationId } from "../jobs/ids.ts";
import type { JsonText, SpecRow } from "../jobs/job.ts";
import { MIB } from "../jobs/limits.ts";
import type { Binding } from "../jobs/workflow.ts";
import { heardAll } from "../runtime/event-loop.ts";
import type { ColdRows, ColdWanted, JobKey } from "../store/store.ts";
import type { Turn } from "./turn.ts";

/** Results that are in memory at once: each may have a megabyte. */
const READ_AT_ONCE = 16;
/** Characters of results after which the process does something else: to parse them takes it 10 ms. */
const PARSED_AT_ONCE = MIB;

/** A value that an input waits for. */
type Taker = { readonly draft: InputDraft; readonly binding: Binding };

/** Who takes values of one job. */
type Source = JobKey & { readonly takers: Taker[] };

/**
 * The inputs of these jobs with the values of others in them; only of those that have bindings. The
 * result of each upstream is read and parsed once, whoever takes of it, and kept no longer than
 * that: what is kept are the values, up to the limit of each input.
 */
export const boundInputs = async (
  turn: Turn,
  specs: Iterable<SpecRow>,
  read: (wanted: Partial<ColdWanted>) => Promise<ColdRows>,
): Promise<Map<SpecRow, Resolved>> => {
  const drafts = new Map<SpecRow, InputDraft>();
  const sources = new Map<string, Source>();
  for (const spec of specs) {
    if (spec.bindings === "") continue;
    const draft = new InputDraft(spec.input);
    drafts.set(spec, draft);
    for (const binding of bindingsOf(spec.bindings)) {
      sourceOf(sources, spec.organizationId, binding.upstreamId).takers.push({ draft, binding });
    }
  }
  if (drafts.size === 0) return new Map();
  const elsewhere = takeOfThisTurn(turn, sources.values());
  let parsed = 0;
  for (let at = 0; at < elsewhere.length; at += READ_AT_ONCE) {
    const page = elsewhere
      .slice(at, at + READ_AT_ONCE)
      .filter(({ takers }) => takers.some(({ draft }) => !draft.hasFailed));
    if (page.length === 0) continue;
    const keys = page.map(({ organizationId, id }) => ({ organizationId, id }));
    const { results } = await read({ results: keys });
    const found = new Map(results.map((row) => [keyOf(row.organizationId, row.id), row]));
    for (const source of page) {
      const upstream = found.get(keyOf(source.organizationId, source.id));
      give(source, upstream);
      parsed += upstream?.result?.length ?? 0;
      if (parsed < PARSED_AT_ONCE) continue;
      parsed = 0;
      await heardAll();
    }
  }
  return new Map([...drafts].map(([spec, draft]) => [spec, draft.finish()]));
};

const keyOf = (organizationId: OrganizationId, id: JobId): string => `${organizationId}/${id}`;

const sourceOf = (
  sources: Map<string, Source>,
  organizationId: OrganizationId,
  id: JobId,
): Source => {
  const key = keyOf(organizationId, id);
  let source = sources.get(key);
  if (source === undefined) {
    source = { organizationId, id, takers: [] };
    sources.set(key, source);
  }
  return source;
};

const give = ({ takers }: Source, upstream: Upstream | undefined): void => {
  const pick = upstream === undefined ? null : pickFrom(upstream);
  for (const { draft, binding } of takers) {
    if (!draft.hasFailed) draft.add(binding, pick === null ? { kind: "gone" } : pick(binding));
  }
};

/** Gives what the turn knows by itself; answers with those whose results are in the database. */
const takeOfThisTurn = (turn: Turn, sources: Iterable<Source>): Source[] => {
  const results = new Map<string, JsonText>();
  for (const { organizationId, jobId, result } of turn.attempts) {
    if (result !== null) results.set(keyOf(organizationId, jobId), result);
  }
  return [...sources].filter((source) => {
    const { organizationId, id } = source;
    const row = turn.row(organizationId, id);
    const result = results.get(keyOf(organizationId, id)) ?? null;
    if (row === null || (row.state === "SUCCEEDED" && result === null)) return true;
    give(source, { ...row, result });
    return false;
  });
};
