import { execFile } from "node:child_process";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export const root = join(import.meta.dirname, "../..");

/** The output of a program that ends well; the programs of node_modules are found. @throws with its error output */
export const outputOf = async (program: string, ...args: string[]): Promise<string> => {
  const path = [join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
  const options = { cwd: root, env: { ...process.env, PATH: path } };
  return (await run(program, args, options)).stdout;
};
