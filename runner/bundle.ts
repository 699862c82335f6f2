import { build, type BuildOptions, stop } from "esbuild";

export type BundleOptions = Omit<BuildOptions, "write" | "bundle">;

/** Bundles under way: esbuild's own process ends with the last of them. */
let underWay = 0;

/** One file of JavaScript, in memory. The same input gives the same text. @throws BuildFailure */
export const bundle = async (options: BundleOptions): Promise<string> => {
  underWay += 1;
  try {
    const { outputFiles } = await build({
      // V8 keeps a text of ASCII in half the memory.
      charset: "ascii",
      legalComments: "none",
      logLevel: "silent",
      // Else a linked folder of packages shows where it really is.
      preserveSymlinks: true,
      target: "esnext",
      ...options,
      bundle: true,
      write: false,
    });
    return outputFiles[0]?.text ?? "";
  } finally {
    underWay -= 1;
    if (underWay === 0) await stop();
  }
};
