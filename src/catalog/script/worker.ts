/**
 * The thread that parses scripts. It holds nothing: whoever started it may end it at any moment. It
 * ends by itself when its parser is broken.
 */
import { parentPort } from "node:worker_threads";

import { compileScript, type ScriptLanguage } from "./compile.ts";

export type ScriptQuestion = { readonly source: string; readonly language: ScriptLanguage };

parentPort?.on("message", ({ source, language }: ScriptQuestion) => {
  parentPort?.postMessage(compileScript(source, language));
});
