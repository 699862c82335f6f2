import { Code, ConnectError } from "@connectrpc/connect";
import { z } from "zod";

import { type HostCall, type HostCalls, HostFault } from "../host-calls.ts";
import { type Libraries, MODULE_CALL, MODULE_LIMITS, type ModuleAnswer } from "../module-wire.ts";
import type { TypeScriptText } from "../scripts.ts";

/** The script that runs, so that importing its own type gives itself. */
export type MainModule = {
  readonly organizationId: string;
  /** Empty for an inline script. */
  readonly type: string;
  readonly typeVersion: number;
  readonly fileName: string;
};

export type ModuleSources = {
  /** The newest, if `version` is 0. @throws ConnectError, NOT_FOUND among them */
  scriptOf(organizationId: string, type: string, version: number): Promise<TypeScriptText>;
  readonly libraries: Libraries;
};

const question = z.strictObject({ specifier: z.string() });

const SCRIPT = /^script:([A-Za-z0-9._-]{1,100})(?:@([1-9][0-9]{0,8}))?$/;

/**
 * `import` of a script. The texts of one attempt belong together: an honest child asks for each
 * specifier once. A hostile one gets no more than that either.
 */
export const moduleCalls = (main: MainModule, sources: ModuleSources): HostCalls => {
  const sent = new Set([main.fileName]);
  let asked = 0;
  let bytes = 0;

  const script = async (specifier: string, type: string, version: number) => {
    // A job keeps the version that it was submitted with.
    if (type === main.type && (version === 0 || version === main.typeVersion)) {
      return answer(main.fileName, "");
    }
    const asking = sources.scriptOf(main.organizationId, type, version);
    const found = await fetched(specifier, asking);
    return answer(`script:${type}@${found.version}`, found.code);
  };

  const answer = (file: string, code: string): ModuleAnswer => {
    if (sent.has(file)) return { kind: "script", file, code: null };
    sent.add(file);
    bytes += Buffer.byteLength(code);
    if (bytes > MODULE_LIMITS.textBytes) {
      const most = MODULE_LIMITS.textBytes;
      throw new HostFault("quota.modules", `imported scripts have more than ${most} bytes`);
    }
    return { kind: "script", file, code };
  };

  const library = async (name: string): Promise<ModuleAnswer> => {
    const text = await sources.libraries.get(name);
    if (text === null) throw notAllowed(name, sources.libraries.names);
    if (sent.has(name)) return { kind: "again" };
    sent.add(name);
    return { kind: "library", ...text };
  };

  const call: HostCall = async (payload) => {
    const { specifier } = question.parse(payload);
    asked += 1;
    if (asked > MODULE_LIMITS.modules) throw tooMany();
    const [, type, version = "0"] = SCRIPT.exec(specifier) ?? [];
    return type === undefined
      ? await library(specifier)
      : await script(specifier, type, Number(version));
  };

  return new Map([[MODULE_CALL, call]]);
};

/** Characters of a specifier in a message. */
const LONGEST_SHOWN = 200;

const tooMany = (): HostFault =>
  new HostFault("quota.modules", `an attempt imports at most ${MODULE_LIMITS.modules} modules`);

const notAllowed = (specifier: string, libraries: readonly string[]): HostFault => {
  const may = ["script:<type name>", "script:<type name>@<version>", ...libraries].join(", ");
  return new HostFault(
    "module.not_allowed",
    `"${specifier.slice(0, LONGEST_SHOWN)}" cannot be imported. What can be imported: ${may}`,
  );
};

const fetched = async <T>(specifier: string, asking: Promise<T>): Promise<T> => {
  try {
    return await asking;
  } catch (caught) {
    if (ConnectError.from(caught).code === Code.NotFound) {
      throw new HostFault(
        "module.not_found",
        `"${specifier}" is not found: no job type of this organization with that name and version is a script`,
      );
    }
    throw new HostFault("runner.crashed", `the text of "${specifier}" could not be fetched`);
  }
};
