import { createRequire } from "node:module";
import { dirname } from "node:path";

import type { Layers } from "./layers.ts";
import type { Home } from "./program.ts";

/** A program and its arguments. */
export type Command = { readonly file: string; readonly args: readonly string[] };

/** `serve`: what a child is for. `check`: it says how far it can lock itself down, and ends. */
export type Purpose = "serve" | "check";

/** isolated-vm's library for this platform, found here so that a child need not search for it. */
const nativeLibrary = (): string => {
  const require = createRequire(import.meta.url);
  const home = dirname(require.resolve("isolated-vm/package.json"));
  const finder = createRequire(`${home}/`)("node-gyp-build") as { path(home: string): string };
  return finder.path(home);
};

/** The command that starts a child behind all `layers`. */
export const childCommand = (
  layers: Pick<Layers, "prefix" | "active">,
  home: Home,
  purpose: Purpose = "serve",
): Command => {
  const library = nativeLibrary();
  const locked = layers.active.includes("syscall-filter");
  const flags = [
    "--permission",
    "--allow-addons",
    // Until the child has locked itself down.
    ...(locked ? ["--allow-ffi"] : []),
    `--allow-fs-read=${home.readable}`,
    `--allow-fs-read=${library}`,
    "--disable-proto=delete",
    "--disallow-code-generation-from-strings",
    "--wasm-max-mem-pages=512",
    // `import source` in a script's text ends the process otherwise: isolated-vm does not know it.
    "--no-js-source-phase-imports",
    // isolated-vm needs it.
    "--no-node-snapshot",
    "--no-warnings",
  ];
  const program = [process.execPath, ...flags, home.entry, library, locked ? "locked" : "open"];
  const command = [...layers.prefix, ...program, purpose];
  return { file: command[0] ?? process.execPath, args: command.slice(1) };
};
