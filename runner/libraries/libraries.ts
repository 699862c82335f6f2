import type { Libraries, LibraryText } from "../module-wire.ts";
import { bundleLibrary } from "./bundle.ts";
import { LIBRARIES } from "./list.ts";

/** Libraries, bundled when the first script imports one, and kept in memory: 1.1 MB for all of them. */
export const createLibraries = (): Libraries => {
  const made = new Map<string, Promise<LibraryText>>();

  const make = async (name: string): Promise<LibraryText> => {
    const exported = LIBRARIES.get(name);
    if (exported === undefined) throw new Error(`there is no library ${name}`);
    try {
      return await bundleLibrary(name, exported);
    } catch (cause) {
      // The next attempt may have more luck.
      made.delete(name);
      throw cause;
    }
  };

  return {
    names: [...LIBRARIES.keys()],
    get: async (name) => {
      if (!LIBRARIES.has(name)) return null;
      const making = made.get(name) ?? make(name);
      made.set(name, making);
      return await making;
    },
  };
};
