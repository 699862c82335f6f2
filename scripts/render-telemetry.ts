import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { EXPORTER_VARIABLES, OTEL_VARIABLES } from "../src/config.ts";
import { RUNNER_TABLE } from "../src/telemetry/tables/runner.ts";
import { SENDING_TABLE } from "../src/telemetry/tables/sending.ts";
import { SERVER_TABLE } from "../src/telemetry/tables/server.ts";
import { METHODS, type Spec, type Table } from "../src/telemetry/tables/spec.ts";

const DOCUMENT = new URL("../docs/telemetry.md", import.meta.url);

/** Longer lists are for the code. */
const MOST_VALUES = 8;

const attributeText = (name: string, values: Spec["attributes"][string]): string => {
  const stated = values.filter((value) => value !== "");
  if (values === METHODS || stated.length > MOST_VALUES) return `\`${name}\``;
  return `\`${name}\`: ${stated.map((value) => `\`${value}\``).join(", ")}`;
};

const rowOf = ({ name, kind, unit, attributes, tells }: Spec): string => {
  const listed = Object.entries(attributes).map((one) => attributeText(...one));
  return `| \`${name}\` | ${kind}, ${unit} | ${listed.join("; ")} | ${tells} |`;
};

const tableOf = (table: Table): string =>
  [
    "| Metric | Kind, unit | Attributes | Tells |",
    "| --- | --- | --- | --- |",
    ...Object.values(table).map(rowOf),
  ].join("\n");

const variables = (all: typeof EXPORTER_VARIABLES | typeof OTEL_VARIABLES): string =>
  [
    "| Variable | Without it | Allowed |",
    "| --- | --- | --- |",
    ...Object.entries(all).map(
      ([name, { fallback, allowed }]) => `| \`${name}\` | ${fallback} | ${allowed} |`,
    ),
  ].join("\n");

const TABLES = {
  server: tableOf(SERVER_TABLE),
  runner: tableOf(RUNNER_TABLE),
  both: tableOf(SENDING_TABLE),
  exporters: variables(EXPORTER_VARIABLES),
  variables: variables(OTEL_VARIABLES),
} as const;

/** docs/telemetry.md with its tables as the code has them. @throws Error if it has no place for one */
export const renderTelemetry = (text: string): string => {
  let rendered = text;
  for (const [name, made] of Object.entries(TABLES)) {
    const place = new RegExp(`(<!-- ${name}: [^>]* -->\\n)[^]*?(<!-- end -->)`);
    if (!place.test(rendered)) throw new Error(`docs/telemetry.md has no place for ${name}`);
    rendered = rendered.replace(
      place,
      (_all, begin: string, end: string) => `${begin}${made}\n${end}`,
    );
  }
  return rendered;
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(DOCUMENT, renderTelemetry(readFileSync(DOCUMENT, "utf8")));
}
