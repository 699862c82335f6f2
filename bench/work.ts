import { create, fromJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";

import { type JobSpec, JobSpecSchema } from "../src/gen/millrace/v1/job_pb.ts";

/** 100 bytes of JSON. */
const PAYLOAD = fromJson(ValueSchema, { text: "x".repeat(89) });

export const handlerJob = (type: string): JobSpec =>
  create(JobSpecSchema, { work: { case: "type", value: type }, input: PAYLOAD });

export const scriptJob = (source: string): JobSpec =>
  create(JobSpecSchema, { work: { case: "script", value: { source } }, input: PAYLOAD });

/** Answers with the length of its input. */
export const NOOP_SCRIPT = scriptJob(
  "export default async (input) => ({ seen: input.text.length });",
);
