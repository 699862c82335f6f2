import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";

import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { resultText } from "./result-text.ts";

type Options = ClientOptions & { readonly field?: string };

export const registerResult: Register = (parent, shell, act) => {
  const command = parent
    .command("result")
    .description("Prints the result of a succeeded job.")
    .argument("<job>", "the id of the job")
    .option("--field <name>", "only this field of it; a text is printed as it is")
    .action(
      act(
        async (jobId: string, options: Options) =>
          await withConnection(options, shell, async ({ jobs }) => {
            const { result } = await jobs.getJobResult({ jobId }, { signal: shell.signal });
            const value = result === undefined ? null : toJson(ValueSchema, result);
            printLine(shell.stdout, resultText(value, options));
            return EXIT.ok;
          }),
      ),
    );
  addExamples(
    addClientOptions(command),
    "millrace job result $JOB",
    "millrace job result $JOB --field report",
  );
};
