import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import type { Layer } from "./layers.ts";

/** A program and its arguments. */
export type Command = { readonly file: string; readonly args: readonly string[] };

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What a child's own program consists of. It may read these files and the native library, no more. */
const PROGRAM = here("./child.ts");
const READABLE = [
  here("./"),
  here("../guest/stack.ts"),
  here("../guest/primordials.ts"),
  here("../../src/runtime/clock.ts"),
  here("../../package.json"),
];

/** isolated-vm's library for this platform, found here so that a child need not search for it. */
const nativeLibrary = (): string => {
  const require = createRequire(import.meta.url);
  const home = dirname(require.resolve("isolated-vm/package.json"));
  const finder = createRequire(`${home}/`)("node-gyp-build") as { path(home: string): string };
  return finder.path(home);
};

/** The command that starts a child behind all `layers`. */
export const childCommand = (layers: readonly Layer[]): Command => {
  const library = nativeLibrary();
  const flags = [
    "--permission",
    "--allow-addons",
    ...[...READABLE, library].map((path) => `--allow-fs-read=${path}`),
    "--disable-proto=delete",
    "--disallow-code-generation-from-strings",
    "--wasm-max-mem-pages=512",
    // isolated-vm needs it.
    "--no-node-snapshot",
    "--no-warnings",
  ];
  const command = [
    ...layers.flatMap((layer) => layer.prefix),
    process.execPath,
    ...flags,
    PROGRAM,
    library,
  ];
  return { file: command[0] ?? process.execPath, args: command.slice(1) };
};
