import path from "node:path";

import type { FieldFault } from "../../jobs/errors.ts";
import { type FileDocument, type FileFault, parseFile } from "./document.ts";
import { type Folder, FolderFault, openFolder } from "./folder.ts";

/** A type as its file says it. */
export type TypeFile = {
  /** Relative to the folder. */
  readonly file: string;
  readonly name: string;
  /** In the JSON form of millrace.v1.JobTypeSpec; script and schema are put in. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Where the field of a fault stands, such as `spec.defaults.priority` or `spec.input_schema/type`. */
  placeOf(field: string): { readonly file: string; readonly line: number | null };
};

export type TypeFiles = {
  readonly types: readonly TypeFile[];
  readonly faults: readonly FileFault[];
};

const TYPE_FILE = /\.(ya?ml|json)$/;
/** Schemas in files of their own: no types. */
const SCHEMA_FILE = /\.schema\.(ya?ml|json)$/;
const TYPESCRIPT = /\.[cm]?ts$/;

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `spec.input_schema/properties/a~1b` as its steps, without the `spec`. */
const stepsOf = (field: string): string[] => {
  const [dotted = "", ...pointer] = field.split("/");
  const names = dotted.replaceAll(/\[("?)(.*?)\1\]/g, ".$2").split(".");
  const steps = pointer.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return [...(names[0] === "spec" ? names.slice(1) : names), ...steps];
};

/** A part that stands in a file of its own. */
type Part = { readonly file: string; readonly document: FileDocument | null };

class Reading {
  readonly faults: FileFault[] = [];
  readonly #folder: Folder;

  constructor(folder: Folder) {
    this.#folder = folder;
  }

  async text(from: { readonly file: string; readonly line: number | null }, file: string) {
    try {
      return await this.#folder.read(file);
    } catch (caught) {
      if (!(caught instanceof FolderFault)) throw caught;
      this.faults.push({ ...from, message: caught.message });
      return null;
    }
  }

  parse(file: string, text: string): FileDocument | null {
    const parsed = parseFile(file, text);
    if (parsed.ok) return parsed.document;
    this.faults.push(...parsed.faults);
    return null;
  }
}

/** Puts the text of `script.file` in. */
const putScript = async (
  reading: Reading,
  { file, document }: { readonly file: string; readonly document: FileDocument },
  json: Fields,
): Promise<Part | null> => {
  const { script } = json;
  if (!isFields(script) || !("file" in script)) return null;
  const place = { file, line: document.lineOf(["script", "file"]) };
  const { file: named, ...rest } = script;
  if (typeof named !== "string" || "source" in script) {
    const message = "script.file is the path of a file, and goes without script.source.";
    reading.faults.push({ ...place, message });
    return null;
  }
  const at = path.join(path.dirname(file), named);
  const source = await reading.text(place, at);
  const language = `SCRIPT_LANGUAGE_${TYPESCRIPT.test(named) ? "TYPESCRIPT" : "JAVASCRIPT"}`;
  json["script"] = { language, ...rest, source: source ?? "" };
  return { file: at, document: null };
};

/** Puts what `inputSchemaFile` holds in as `inputSchema`. */
const putSchema = async (
  reading: Reading,
  { file, document }: { readonly file: string; readonly document: FileDocument },
  json: Fields,
): Promise<Part | null> => {
  if (!("inputSchemaFile" in json)) return null;
  const place = { file, line: document.lineOf(["inputSchemaFile"]) };
  const named = json["inputSchemaFile"];
  delete json["inputSchemaFile"];
  if (typeof named !== "string" || !SCHEMA_FILE.test(named) || "inputSchema" in json) {
    const message =
      "inputSchemaFile is the path of a file *.schema.json or *.schema.yaml, and goes without inputSchema.";
    reading.faults.push({ ...place, message });
    return null;
  }
  const at = path.join(path.dirname(file), named);
  const text = await reading.text(place, at);
  const schema = text === null ? null : reading.parse(at, text);
  if (schema === null) return null;
  json["inputSchema"] = schema.value;
  return { file: at, document: schema };
};

const readType = async (reading: Reading, file: string): Promise<TypeFile | null> => {
  const text = await reading.text({ file, line: null }, file);
  const document = text === null ? null : reading.parse(file, text);
  if (document === null) return null;
  if (!isFields(document.value)) {
    const message =
      "is no type: a mapping is expected, with `name`, `script`, `handler` and so on.";
    reading.faults.push({ file, line: document.lineOf([]), message });
    return null;
  }
  const name = path.basename(file).replace(TYPE_FILE, "");
  const json: Fields = { name, ...document.value };
  const script = await putScript(reading, { file, document }, json);
  const schema = await putSchema(reading, { file, document }, json);
  return {
    file,
    name: String(json["name"]),
    json,
    placeOf: (field) => {
      const [first, ...rest] = stepsOf(field);
      if (first === "script" && script !== null) return { file: script.file, line: null };
      if (first === "input_schema" && schema !== null) {
        return { file: schema.file, line: schema.document?.lineOf(rest) ?? null };
      }
      return { file, line: document.lineOf(first === undefined ? [] : [first, ...rest]) };
    },
  };
};

const repeatedNames = (types: readonly TypeFile[]): FileFault[] => {
  const first = new Map<string, string>();
  return types.flatMap(({ name, file, placeOf }) => {
    const other = first.get(name);
    if (other === undefined) {
      first.set(name, file);
      return [];
    }
    return [{ ...placeOf("spec.name"), message: `the type ${name} stands in ${other} already.` }];
  });
};

const isTypeFile = (file: string): boolean => TYPE_FILE.test(file) && !SCHEMA_FILE.test(file);

/**
 * All types of a folder, or the wanted ones: every *.yaml, *.yml and *.json but *.schema.*, each one type. Faults tell
 * everything that keeps a file from being read. @throws FolderFault if there is no such folder
 */
export const readTypeFiles = async (
  given: string,
  wanted: (file: string) => boolean = isTypeFile,
): Promise<TypeFiles> => {
  const folder = await openFolder(given);
  const files = (await folder.list()).filter(wanted);
  const reading = new Reading(folder);
  const types: TypeFile[] = [];
  for (const file of files) {
    const type = await readType(reading, file);
    if (type !== null) types.push(type);
  }
  return { types, faults: [...reading.faults, ...repeatedNames(types)] };
};

/** Faults that the server found in a type, at the lines of its file. */
export const inFile = (type: TypeFile, faults: readonly FieldFault[]): FileFault[] =>
  faults.map(({ field, description }) => ({
    ...type.placeOf(field),
    message: `${field.replace(/^spec\./, "")} ${description}`,
  }));

/** What the JSON form of the contract does not take, at the line of the name that it complains of. */
export const notTaken = (type: TypeFile, caught: unknown): FileFault => {
  const said = caught instanceof Error ? caught.message : String(caught);
  const message = said.replace(/^cannot decode (message|field) \S+ from JSON: /, "");
  const [, name = ""] = /(?:key "|field )(?:millrace\.v1\.\w+\.)?([\w.]+)/.exec(said) ?? [];
  return { ...type.placeOf(name), message };
};

/** `file:line: message`. */
export const faultLine = ({ file, line, message }: FileFault): string =>
  `${file}${line === null ? "" : `:${line}`}: ${message}`;
