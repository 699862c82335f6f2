import { diag, DiagLogLevel } from "@opentelemetry/api";

import type { Log } from "../runtime/log.ts";

const LEVELS: Readonly<Record<string, DiagLogLevel>> = {
  NONE: DiagLogLevel.NONE,
  ERROR: DiagLogLevel.ERROR,
  WARN: DiagLogLevel.WARN,
  INFO: DiagLogLevel.INFO,
  DEBUG: DiagLogLevel.DEBUG,
  VERBOSE: DiagLogLevel.VERBOSE,
  ALL: DiagLogLevel.ALL,
};

const MOST_SENTENCES = 100;

/** So the SDK tells of a batch that did not arrive; telemetry/sending.ts does, too. */
const isLost = (sentence: string): boolean => sentence.startsWith("{");

/**
 * Writes what the SDK says of itself into the log. Unless a level is asked for, it is warnings, each
 * sentence once.
 */
export const hearSdk = (log: Log, level: string | null): void => {
  const said = new Set<string>();
  const isNew = (sentence: string): boolean => {
    if (level !== null) return true;
    if (isLost(sentence) || said.has(sentence) || said.size >= MOST_SENTENCES) return false;
    said.add(sentence);
    return true;
  };
  const say =
    (how: keyof Log) =>
    (sentence: string, ...details: unknown[]): void => {
      if (!isNew(sentence)) return;
      const facts = { component: "opentelemetry", sentence, details: details.map(String) };
      log[how](facts, "OpenTelemetry says something of itself");
    };
  const logger = {
    error: say("error"),
    warn: say("warn"),
    info: say("info"),
    debug: say("debug"),
    verbose: say("debug"),
  };
  diag.setLogger(logger, {
    logLevel: LEVELS[level ?? "WARN"] ?? DiagLogLevel.WARN,
    suppressOverrideMessage: true,
  });
};
