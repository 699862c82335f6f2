import type { OrganizationId, ScriptHash } from "../../jobs/ids.ts";
import type { ScriptRow } from "../../jobs/job.ts";
import type { DatabaseRow } from "../engine.ts";
import { LANGUAGES } from "./codes.ts";
import { binding, numberOf, textOf } from "./column.ts";

export const INSERT_MISSING_SCRIPT = binding<ScriptRow>(
  "scripts",
  "insert-missing",
  [
    ["organization_id", (script) => script.organizationId],
    ["hash", (script) => script.hash],
  ],
  [
    ["language", (script) => LANGUAGES.numbers[script.language]],
    ["source", (script) => script.source],
    ["code", (script) => script.code],
    ["created_at", (script) => script.createdAt],
  ],
);

export const scriptOf = (row: DatabaseRow): ScriptRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  hash: textOf(row, "hash") as ScriptHash,
  language: LANGUAGES.nameOf(numberOf(row, "language")),
  source: textOf(row, "source"),
  code: textOf(row, "code"),
  createdAt: numberOf(row, "created_at"),
});
