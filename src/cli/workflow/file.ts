import { readFile } from "node:fs/promises";
import path from "node:path";

import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";

import { type FileDocument, parseFile } from "../../catalog/files/document.ts";
import { faultLine } from "../../catalog/files/type-files.ts";
import { type JobSpec, JobSpecSchema } from "../../gen/millrace/v1/job_pb.ts";
import {
  type SubmitWorkflowRequest,
  SubmitWorkflowRequestSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import {
  UpstreamFailurePolicy,
  type WorkflowStep,
  WorkflowStepSchema,
} from "../../gen/millrace/v1/workflow_pb.ts";
import { usageFailure } from "../failure.ts";
import { readSource } from "../job/input.ts";
import type { Shell } from "../shell.ts";

/**
 * A workflow in a YAML or JSON file: `name`, `labels`, and `steps` by their names. A step is a job
 * specification in the JSON of the contract, with `after`, and with `script` as a text or `{file}`,
 * relative to this file. docs/workflows.md shows one.
 */
type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const TYPESCRIPT = /\.[cm]?ts$/;

/** One file while it is read: it knows where things stand. */
class Reading {
  readonly #file: string;
  readonly #document: FileDocument;

  constructor(file: string, document: FileDocument) {
    this.#file = file;
    this.#document = document;
  }

  /** @throws CliFailure with the line */
  wrong(at: readonly string[], message: string): never {
    const line = this.#document.lineOf(at);
    throw usageFailure(faultLine({ file: this.#file, line, message }));
  }

  /** Reads what stands beside it. */
  async text(at: readonly string[], file: string): Promise<string> {
    const beside = path.resolve(path.dirname(this.#file), file);
    try {
      return await readFile(beside, "utf8");
    } catch (cause) {
      const why = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
      return this.wrong(at, `${file} cannot be read (${why}).`);
    }
  }
}

const TIE = "names a step, or is {step: NAME, onFailure: CANCEL or RUN}.";

/** Also as the contract's JSON has them. */
const POLICIES: ReadonlyMap<unknown, UpstreamFailurePolicy> = new Map(
  (["CANCEL", "RUN"] as const).flatMap((name) =>
    [name, name.toLowerCase(), `UPSTREAM_FAILURE_POLICY_${name}`].map(
      (known) => [known, UpstreamFailurePolicy[name]] as const,
    ),
  ),
);

const tieOf = (reading: Reading, at: readonly string[], tie: unknown) => {
  if (typeof tie === "string") return { step: tie };
  if (!isFields(tie)) return reading.wrong(at, `after ${TIE}`);
  const { step, on_failure: given = "CANCEL", onFailure = given, ...rest } = tie;
  const policy = POLICIES.get(onFailure);
  if (typeof step !== "string" || policy === undefined || Object.keys(rest).length > 0) {
    return reading.wrong(at, `after ${TIE}`);
  }
  return { step, onFailure: policy };
};

/** `script` as the contract has it. */
const scriptOf = async (
  reading: Reading,
  at: readonly string[],
  script: unknown,
): Promise<unknown> => {
  if (typeof script === "string") return { source: script };
  if (!isFields(script) || !("file" in script)) return script;
  const { file, ...rest } = script;
  if (typeof file !== "string" || "source" in rest) {
    return reading.wrong(at, "script.file is the path of a file, and goes without script.source.");
  }
  const language = `SCRIPT_LANGUAGE_${TYPESCRIPT.test(file) ? "TYPESCRIPT" : "JAVASCRIPT"}`;
  return { language, ...rest, source: await reading.text([...at, "file"], file) };
};

const reasonOf = (caught: unknown): string =>
  caught instanceof Error ? caught.message.replace(/^.*? from JSON: /, "") : String(caught);

const specOf = (reading: Reading, at: readonly string[], json: Fields): JobSpec => {
  try {
    return fromJson(JobSpecSchema, json as JsonValue);
  } catch (caught) {
    return reading.wrong(at, `${at.at(-1)} is no job specification: ${reasonOf(caught)}.`);
  }
};

const stepOf = async (reading: Reading, name: string, value: unknown): Promise<WorkflowStep> => {
  const at = ["steps", name];
  if (!isFields(value)) return reading.wrong(at, `${name} must have fields, such as type.`);
  const { after = [], script, ...spec } = value;
  const ties = Array.isArray(after) ? (after as unknown[]) : [after];
  const ready = await scriptOf(reading, [...at, "script"], script);
  return create(WorkflowStepSchema, {
    name,
    spec: specOf(reading, at, script === undefined ? spec : { ...spec, script: ready }),
    after: ties.map((tie) => tieOf(reading, [...at, "after"], tie)),
  });
};

/** YAML reads a text such as `2` or `true` as something else: it is taken back as it was meant. */
const textOf = (reading: Reading, at: readonly string[], value: unknown): string => {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
    default:
      return reading.wrong(at, `${at.at(-1)} must be a text.`);
  }
};

const labelsOf = (reading: Reading, labels: unknown): Record<string, string> => {
  if (!isFields(labels)) return reading.wrong(["labels"], "labels must be names with values.");
  return Object.fromEntries(
    Object.entries(labels).map(([key, value]) => [key, textOf(reading, ["labels", key], value)]),
  );
};

const KNOWN: ReadonlySet<string> = new Set(["name", "labels", "steps"]);

/** @param place a path, or `-` for standard input @throws CliFailure with file and line */
export const readWorkflow = async (place: string, shell: Shell): Promise<SubmitWorkflowRequest> => {
  const file = place === "-" ? "standard input" : place;
  const parsed = parseFile(file, await readSource(place, "FILE", shell));
  if (!parsed.ok) throw usageFailure(parsed.faults.map(faultLine).join("\n"));
  const reading = new Reading(place === "-" ? "./-" : place, parsed.document);
  const { value } = parsed.document;
  if (!isFields(value)) return reading.wrong([], "a workflow has name, labels and steps.");
  for (const key of Object.keys(value)) {
    if (!KNOWN.has(key)) reading.wrong([key], `${key} is unknown: there are name, labels, steps.`);
  }
  const { name = "", labels = {}, steps } = value;
  if (!isFields(steps)) return reading.wrong(["steps"], "steps must be there, by their names.");
  const read: WorkflowStep[] = [];
  for (const [step, fields] of Object.entries(steps)) {
    read.push(await stepOf(reading, step, fields));
  }
  return create(SubmitWorkflowRequestSchema, {
    name: textOf(reading, ["name"], name),
    labels: labelsOf(reading, labels),
    steps: read,
  });
};
