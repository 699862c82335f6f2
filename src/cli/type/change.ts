import {
  type JobType,
  JobTypeSchema,
  JobTypeService,
} from "../../gen/millrace/v1/job_type_service_pb.ts";
import { type Connection, withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";

type Answer = { readonly jobType?: JobType | undefined };

type Change = {
  readonly name: string;
  readonly description: string;
  readonly said: (type: string) => string;
  readonly run: (connection: Connection, type: string, signal: AbortSignal) => Promise<Answer>;
};

const changing =
  ({ name, description, said, run }: Change): Register =>
  (parent, shell, act) => {
    const command = parent
      .command(name)
      .description(description)
      .argument("<type>", "the name of the type")
      .action(
        act(
          async (type: string, options: ClientOptions) =>
            await withConnection(options, shell, async (connection) => {
              const { jobType } = await run(connection, type, shell.signal);
              const json = options.output === "json" && jobType !== undefined;
              printLine(shell.stdout, json ? jsonLine(JobTypeSchema, jobType) : said(type));
              return EXIT.ok;
            }),
        ),
      );
    addExamples(addClientOptions(command), `millrace type ${name} greet`);
  };

const setEnabled =
  (enabled: boolean): Change["run"] =>
  async ({ clientOf }, name, signal) =>
    await clientOf(JobTypeService).setJobTypeEnabled({ name, enabled }, { signal });

export const registerEnable = changing({
  name: "enable",
  description: "Lets a type take jobs again.",
  said: (type) => `The type ${type} takes jobs.`,
  run: setEnabled(true),
});

export const registerDisable = changing({
  name: "disable",
  description: "Refuses new jobs of a type. Those that it has go on.",
  said: (type) => `The type ${type} takes no new jobs. Those that it has go on.`,
  run: setEnabled(false),
});

export const registerResume = changing({
  name: "resume",
  description: "Lets a type run again that was paused because it kept crashing.",
  said: (type) => `The type ${type} runs.`,
  run: async ({ clientOf }, name, signal) =>
    await clientOf(JobTypeService).resumeJobType({ name }, { signal }),
});
