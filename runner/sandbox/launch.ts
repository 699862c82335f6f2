import { createRequire } from "node:module";
import { dirname } from "node:path";

import type { Layer } from "./layers.ts";
import type { Home } from "./program.ts";

/** A program and its arguments. */
export type Command = { readonly file: string; readonly args: readonly string[] };

/** isolated-vm's library for this platform, found here so that a child need not search for it. */
const nativeLibrary = (): string => {
  const require = createRequire(import.meta.url);
  const home = dirname(require.resolve("isolated-vm/package.json"));
  const finder = createRequire(`${home}/`)("node-gyp-build") as { path(home: string): string };
  return finder.path(home);
};

/** The command that starts a child behind all `layers`. */
export const childCommand = (layers: readonly Layer[], home: Home): Command => {
  const library = nativeLibrary();
  const flags = [
    "--permission",
    "--allow-addons",
    `--allow-fs-read=${home.readable}`,
    `--allow-fs-read=${library}`,
    "--disable-proto=delete",
    "--disallow-code-generation-from-strings",
    "--wasm-max-mem-pages=512",
    // isolated-vm needs it.
    "--no-node-snapshot",
    "--no-warnings",
  ];
  const prefix = layers.flatMap((layer) => layer.prefix);
  const command = [...prefix, process.execPath, ...flags, home.entry, library];
  return { file: command[0] ?? process.execPath, args: command.slice(1) };
};
