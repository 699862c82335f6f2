import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";

import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

import { usageFailure } from "../failure.ts";
import type { Shell } from "../shell.ts";

const readText = async (file: string, option: string): Promise<string> => {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw usageFailure(`${option}: ${file} cannot be read (${why}).`);
  }
};

const parseJson = (json: string, option: string, source: string): JsonValue => {
  try {
    return JSON.parse(json) as JsonValue;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw usageFailure(`${option}: ${source} is not JSON: ${why}`);
  }
};

/** A file's text, or standard input for `-`. */
export const readSource = async (place: string, option: string, shell: Shell): Promise<string> =>
  place === "-" ? await text(shell.stdin) : await readText(place, option);

/** JSON from the command line: the text itself, `@file`, or `-` for standard input. */
export const readJson = async (
  argument: string,
  option: string,
  shell: Shell,
): Promise<JsonValue> => {
  if (argument === "-") return parseJson(await text(shell.stdin), option, "standard input");
  if (!argument.startsWith("@")) return parseJson(argument, option, "the text");
  const file = argument.slice(1);
  return parseJson(await readText(file, option), option, file);
};

const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The input of a job: `--input` (JSON, `@file` or `-`), with the texts of `--input-file field=path`
 * as fields of it. Undefined if neither was given.
 */
export const jobInput = async (
  input: string | undefined,
  files: Readonly<Record<string, string>>,
  shell: Shell,
): Promise<JsonValue | undefined> => {
  const base = input === undefined ? undefined : await readJson(input, "--input", shell);
  const fields = Object.entries(files);
  if (fields.length === 0) return base;
  if (base !== undefined && !isObject(base)) {
    throw usageFailure("--input-file adds fields, so --input must be a JSON object.");
  }
  const texts = await Promise.all(
    fields.map(async ([field, file]) => [field, await readSource(file, "--input-file", shell)]),
  );
  return { ...base, ...(Object.fromEntries(texts) as JsonObject) };
};
