import { readFile, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

import { format } from "oxfmt";

import { CONTEXT } from "../runner/surface/context.ts";
import type { Entry } from "../runner/surface/entry.ts";
import { GLOBALS } from "../runner/surface/globals.ts";
import { TYPES } from "../runner/surface/types.ts";

const DECLARATIONS = new URL("../types/guest.d.ts", import.meta.url);
const DOCUMENT = new URL("../docs/scripts.md", import.meta.url);

const HEAD = `/**
 * What a script finds in Millrace's sandbox. Made by \`node scripts/render-surface.ts\` from
 * runner/surface. A script is one ES module:
 *
 *     import type { Context } from "../types/guest.d.ts";
 *
 *     export default async function (input: { name: string }, ctx: Context) {
 *       ctx.progress(0.5);
 *       return { greeting: \`Hello, \${input.name}\` };
 *     }
 *
 * To check a script:
 * \`tsc --noEmit --ignoreConfig --strict --lib esnext --types "" --allowImportingTsExtensions script.ts\`.
 * docs/scripts.md tells the limits and what happens at them.
 */
`;

const declared = ({ doc, declaration }: Entry): string => `/** ${doc} */\n${declaration}`;

/** types/guest.d.ts */
export const renderDeclarations = async (): Promise<string> => {
  const text = [
    HEAD,
    TYPES,
    "/** The second argument of a script's default export. */",
    `export interface Context {\n${CONTEXT.map(declared).join("\n")}\n}\n`,
    "/** Besides the language itself (ECMAScript, with Intl and Temporal) there is nothing but this. */",
    `declare global {\n${GLOBALS.map(declared).join("\n")}\n}\n`,
  ].join("\n");
  const { code } = await format("guest.d.ts", text, { printWidth: 100 });
  return code;
};

const table = (entries: readonly Entry[], prefix: string): string =>
  [
    "| Name | What it is |",
    "| --- | --- |",
    ...entries.map(({ name, doc }) => `| \`${prefix}${name}\` | ${doc.replaceAll("|", "\\|")} |`),
  ].join("\n");

const TABLES = { ctx: table(CONTEXT, "ctx."), globals: table(GLOBALS, "") } as const;

/** docs/scripts.md with the tables as they should be. @throws Error if it has no place for one */
export const renderDocument = (text: string): string => {
  let rendered = text;
  for (const [name, made] of Object.entries(TABLES)) {
    const place = new RegExp(`(<!-- ${name}: [^>]* -->\\n)[^]*?(\\n<!-- end -->)`);
    if (!place.test(rendered))
      throw new Error(`docs/scripts.md has no place for the table ${name}`);
    rendered = rendered.replace(place, (_, before: string, after: string) => before + made + after);
  }
  return rendered;
};

export const readSurface = async (): Promise<{ declarations: string; document: string }> => ({
  declarations: await readFile(DECLARATIONS, "utf8"),
  document: await readFile(DOCUMENT, "utf8"),
});

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await writeFile(DECLARATIONS, await renderDeclarations());
  await writeFile(DOCUMENT, renderDocument((await readSurface()).document));
}
