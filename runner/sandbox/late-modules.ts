import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import type { Plugin } from "esbuild";

import { bundle, type BundleOptions } from "../bundle.ts";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Libraries, and what we put around them. See guest/libraries.ts. */
const LATE = /^(runner\/guest\/web|node_modules\/tr46)\//;
const SURROUNDINGS = join(ROOT, "runner/guest/web/surroundings.ts");
const DOMAIN_NAMES = join(ROOT, "runner/guest/web/domain-names.ts");

/**
 * Makes of each late module, with the packages that it needs, one function. Of ES modules a bundler
 * lifts every function to its top level, and each isolate makes them all anew, which costs it half a
 * millisecond; what is inside of a function that is not called costs nothing.
 */
export const lateModules = (options: BundleOptions): Plugin => ({
  name: "late modules",
  setup: ({ onResolve, onLoad, resolve }) => {
    onResolve({ filter: /./ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (pluginData === RESOLVED || kind === "entry-point") return null;
      const found = await resolve(path, { kind, resolveDir, pluginData: RESOLVED });
      const name = relative(ROOT, found.path).replaceAll("\\", "/");
      return LATE.test(name) ? { path: name, namespace: "late" } : found;
    });
    onLoad({ filter: /./, namespace: "late" }, async ({ path }) => {
      const file = join(ROOT, path);
      const contents = await bundle({
        ...options,
        entryPoints: [file],
        format: "cjs",
        inject: [SURROUNDINGS],
        define: { globalThis: "surroundings", self: "surroundings" },
        plugins: [neighbours],
      });
      return { contents, loader: "js", resolveDir: dirname(file) };
    });
  },
});

const RESOLVED = Symbol("resolved");

/** Late modules share each other instead of each having a copy. */
const neighbours: Plugin = {
  name: "neighbours",
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\.\.?\// }, ({ path, importer, resolveDir }) =>
      importer.startsWith(join(ROOT, "runner/guest"))
        ? { path: join(resolveDir, path), external: true }
        : null,
    );
    onResolve({ filter: /^tr46$/ }, ({ path, importer }) => ({
      path: importer === DOMAIN_NAMES ? path : DOMAIN_NAMES,
      external: true,
    }));
    // A URL knows UTF-8 only: 150 KB of tables for East Asia would never be asked.
    onResolve({ filter: /^@exodus\/bytes\/encoding\.js$/ }, async () => ({
      path: fileURLToPath(import.meta.resolve("@exodus/bytes/encoding-lite.js")),
    }));
  },
};
