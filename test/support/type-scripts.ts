import { Code, ConnectError } from "@connectrpc/connect";

import type { ModuleSources } from "../../runner/executors/module-calls.ts";

/** Texts of scripts by `<type>@<version>`. */
export type TypeScripts = Readonly<Record<string, string>>;

/** Finds them as a server does: the newest, if no version is asked for. */
export const typeScripts =
  (texts: TypeScripts): ModuleSources["scriptOf"] =>
  async (_organizationId, type, version) => {
    const versions = Object.entries(texts).flatMap(([key, code]) => {
      const [name, number] = key.split("@");
      return name === type
        ? [{ version: Number(number), code, fileName: "script.ts" as const }]
        : [];
    });
    const found =
      version === 0
        ? versions.toSorted((a, b) => b.version - a.version)[0]
        : versions.find((one) => one.version === version);
    if (found === undefined) throw new ConnectError("no such script", Code.NotFound);
    return await Promise.resolve(found);
  };
