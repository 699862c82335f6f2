import path from "node:path";

import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError } from "@connectrpc/connect";

import type { FileFault } from "../../catalog/files/document.ts";
import { FolderFault } from "../../catalog/files/folder.ts";
import {
  faultLine,
  inFile,
  notTaken,
  readTypeFiles,
  type TypeFile,
  type TypeFiles,
} from "../../catalog/files/type-files.ts";
import { BadRequestSchema } from "../../gen/google/rpc/error_details_pb.ts";
import {
  type JobTypeSpec,
  JobTypeService,
  JobTypeSpecSchema,
} from "../../gen/millrace/v1/job_type_service_pb.ts";
import { reasonOf } from "../api-failure.ts";
import { withConnection } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { type CliFailure, usageFailure } from "../failure.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";

type Types = Client<typeof JobTypeService>;
type Options = ClientOptions & { readonly dryRun?: boolean };

/** What becomes, or would become, of a type. */
type Fate = "created" | "new-version" | "limit-changed" | "unchanged";
type Done = {
  readonly name: string;
  readonly file: string;
  readonly fate: Fate;
  readonly version: number;
};

const wrongFiles = (faults: readonly FileFault[]): CliFailure =>
  usageFailure(
    [
      `${faults.length === 1 ? "One fault" : `${faults.length} faults`}, nothing was changed:`,
      ...faults.map((fault) => `  ${faultLine(fault)}`),
    ].join("\n"),
  );

type Parsed = { readonly type: TypeFile; readonly spec: JobTypeSpec };

/** @throws CliFailure with every fault */
const parsed = ({ types, faults }: TypeFiles): Parsed[] => {
  const wrong = [...faults];
  const specs = types.flatMap((type) => {
    try {
      return [{ type, spec: fromJson(JobTypeSpecSchema, type.json as JsonValue) }];
    } catch (caught) {
      wrong.push(notTaken(type, caught));
      return [];
    }
  });
  if (wrong.length > 0) throw wrongFiles(wrong);
  return specs;
};

const fateOf = async (types: Types, { spec }: Parsed, signal: AbortSignal) => {
  const before = await types
    .getJobType({ name: spec.name }, { signal })
    .catch((caught: unknown) => {
      if (caught instanceof ConnectError && reasonOf(caught) === "JOB_TYPE_NOT_FOUND") return null;
      throw caught;
    });
  const { createdVersion, jobType } = await types.putJobType(
    { spec, validateOnly: true },
    { signal },
  );
  const version = jobType?.version ?? 0;
  const fate = ((): Fate => {
    if (before?.jobType === undefined) return "created";
    if (createdVersion) return "new-version";
    return before.jobType.spec?.maxRunning === spec.maxRunning ? "unchanged" : "limit-changed";
  })();
  return { fate, version };
};

/** What the server says to each file. @throws CliFailure with every fault of all files */
const plan = async (types: Types, files: readonly Parsed[], shell: Shell) => {
  const wrong: FileFault[] = [];
  const planned: (Parsed & { readonly done: Done })[] = [];
  for (const one of files) {
    try {
      const { fate, version } = await fateOf(types, one, shell.signal);
      const { name } = one.spec;
      planned.push({ ...one, done: { name, file: one.type.file, fate, version } });
    } catch (caught) {
      if (!(caught instanceof ConnectError) || caught.code !== Code.InvalidArgument) throw caught;
      const faults = caught.findDetails(BadRequestSchema).flatMap((one) => one.fieldViolations);
      wrong.push(...inFile(one.type, faults));
    }
  }
  if (wrong.length > 0) throw wrongFiles(wrong);
  return planned;
};

const SAID: Readonly<Record<Fate, (done: Done, dry: boolean) => string>> = {
  created: ({ name }, dry) => `${dry ? "would create" : "created"} ${name}, version 1`,
  "new-version": ({ name, version }, dry) =>
    `${dry ? "would make" : "made"} version ${version} of ${name}`,
  "limit-changed": ({ name }, dry) => `${dry ? "would change" : "changed"} the limit of ${name}`,
  unchanged: ({ name, version }) => `left ${name} at version ${version}`,
};

/** Checks all files first, then puts those that differ. */
const apply = async (files: TypeFiles, options: Options, shell: Shell): Promise<ExitCode> => {
  const specs = parsed(files);
  const dry = options.dryRun === true;
  return await withConnection(options, shell, async ({ clientOf }) => {
    const types = clientOf(JobTypeService);
    const planned = await plan(types, specs, shell);
    const all: Done[] = [];
    for (const { spec, done } of planned) {
      let { version } = done;
      if (!dry && done.fate !== "unchanged") {
        const { jobType } = await types.putJobType({ spec }, { signal: shell.signal });
        version = jobType?.version ?? version;
      }
      const told = { ...done, version };
      all.push(told);
      if (options.output === "text") printLine(shell.stdout, SAID[told.fate](told, dry));
    }
    if (options.output === "json") {
      printLine(shell.stdout, JSON.stringify({ dryRun: dry, types: all }));
    }
    return EXIT.ok;
  });
};

const read = async (...wanted: Parameters<typeof readTypeFiles>): Promise<TypeFiles> => {
  try {
    return await readTypeFiles(...wanted);
  } catch (caught) {
    if (caught instanceof FolderFault) throw usageFailure(caught.message);
    throw caught;
  }
};

export const registerPut: Register = (parent, shell, act) => {
  const command = parent
    .command("put")
    .description("Makes a type, or a new version of it, from a file.")
    .argument("<file>", "YAML or JSON, as docs/types.md tells")
    .option("--dry-run", "check everything, change nothing")
    .action(
      act(async (file: string, options: Options) => {
        const wanted = path.basename(file);
        const files = await read(path.dirname(file), (one) => one === wanted);
        if (files.types.length + files.faults.length === 0) {
          throw usageFailure(`${file} is not there.`);
        }
        return await apply(files, options, shell);
      }),
    );
  addExamples(addClientOptions(command), "millrace type put examples/types/greet.yaml");
};

/** `types apply`: a folder in git is the truth of the types that stand in it. */
export const registerTypes: Register = (parent, shell, act) => {
  const types = parent.command("types").description("Applies a folder of job types.");
  const command = types
    .command("apply")
    .summary("Makes the types of a folder, and new versions of those that changed.")
    .description(
      "Makes the types of a folder, and new versions of those that changed. All files are checked\n" +
        "before the first is written. Types that stand in no file are left as they are.",
    )
    .argument("<folder>", "with one type in each *.yaml, *.yml and *.json, as docs/types.md tells")
    .option("--dry-run", "tell what would be made, change nothing")
    .action(
      act(async (folder: string, options: Options) => {
        const files = await read(folder);
        if (files.types.length + files.faults.length === 0) {
          throw usageFailure(`${folder} holds no types: no *.yaml, *.yml or *.json.`);
        }
        return await apply(files, options, shell);
      }),
    );
  addExamples(
    addClientOptions(command),
    "millrace types apply examples/types --dry-run",
    "millrace types apply examples/types",
  );
};
