import { readdir, readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";

import type { GuestModule } from "./protocol.ts";

const GUEST = new URL("../guest/", import.meta.url);

/** The guest's own modules as JavaScript, named without their ending. */
export const readGuest = async (): Promise<readonly GuestModule[]> => {
  const files = (await readdir(GUEST)).filter((file) => file.endsWith(".ts"));
  return await Promise.all(
    files.map(async (file) => ({
      name: file.slice(0, -".ts".length),
      text: stripTypeScriptTypes(await readFile(new URL(file, GUEST), "utf8")),
    })),
  );
};
