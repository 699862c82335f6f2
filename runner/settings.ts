import { readFileSync } from "node:fs";

import { parseDocument } from "yaml";
import { z } from "zod";

import { commands } from "./commands/settings.ts";
import { checkEgress, egress, secrets, upstreams } from "./egress/settings.ts";

/** The runner's configuration file: everything that is too much for an environment variable. */
const schema = z.strictObject({ upstreams, egress, secrets, commands }).superRefine(checkEgress);

export type RunnerSettings = z.infer<typeof schema>;

export class SettingsFault extends Error {
  override readonly name = "SettingsFault";
}

/** Of a runner without a file: no network, no commands. */
export const NO_SETTINGS: RunnerSettings = schema.parse({});

/** YAML or JSON. @throws SettingsFault with the file, the path of each fault and what is allowed */
export const readSettings = (path: string): RunnerSettings => {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new SettingsFault(`${path} cannot be read`, { cause });
  }
  return parseSettings(text, path);
};

/** @throws what is wrong with the text; a tag that stands for nothing is, too, such as `!env KEY` */
const readYaml = (text: string): unknown => {
  const document = parseDocument(text);
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) throw fault;
  return document.toJS() as unknown;
};

/** `path` is for the words of a fault only. @throws SettingsFault */
export const parseSettings = (text: string, path: string): RunnerSettings => {
  let value: unknown;
  try {
    value = readYaml(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SettingsFault(`${path} is neither YAML nor JSON: ${why}`, { cause });
  }
  const parsed = schema.safeParse(value ?? {});
  if (!parsed.success) throw new SettingsFault(`${path}:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
};
