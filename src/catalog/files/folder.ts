import { readdir, readFile, realpath, stat } from "node:fs/promises";
import path from "node:path";

/** A folder of files, out of which no path leads: neither by `..` nor by a link. */
export type Folder = {
  /** All files below it, relative to it, in the order of their names. Hidden ones are left out. */
  list(): Promise<string[]>;
  /** @throws FolderFault */
  read(file: string): Promise<string>;
};

export class FolderFault extends Error {
  override readonly name = "FolderFault";
}

const MAX_FILES = 5_000;
const MAX_BYTES = 1_048_576;

const whyUnreadable = (caught: unknown): string =>
  caught instanceof Error && "code" in caught ? String(caught.code) : String(caught);

/** @throws FolderFault */
export const openFolder = async (given: string): Promise<Folder> => {
  const root = await realpath(given).catch((cause: unknown) => {
    throw new FolderFault(`${given} cannot be read (${whyUnreadable(cause)}).`);
  });
  // Not readdir's own recursion, which goes through links to folders: in circles, and out of here.
  const below = async (folder: string, found: string[]): Promise<string[]> => {
    const entries = await readdir(path.join(root, folder), { withFileTypes: true }).catch(
      (cause: unknown) => {
        throw new FolderFault(`${given} cannot be read as a folder (${whyUnreadable(cause)}).`);
      },
    );
    for (const entry of entries) {
      if (entry.name.startsWith(".")) continue;
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) await below(file, found);
      else if (entry.isFile() || entry.isSymbolicLink()) found.push(file);
      if (found.length > MAX_FILES) {
        throw new FolderFault(`${given} has more than ${MAX_FILES} files.`);
      }
    }
    return found;
  };
  const list = async (): Promise<string[]> => (await below("", [])).toSorted();
  return {
    list,
    read: async (file) => {
      const found = await realpath(path.resolve(root, file)).catch((cause: unknown) => {
        throw new FolderFault(`${file} cannot be read (${whyUnreadable(cause)}).`);
      });
      if (!found.startsWith(`${root}${path.sep}`)) {
        throw new FolderFault(`${file} leads out of ${given}.`);
      }
      const facts = await stat(found);
      if (!facts.isFile()) throw new FolderFault(`${file} is no file.`);
      if (facts.size > MAX_BYTES) {
        throw new FolderFault(`${file} has ${facts.size} bytes; ${MAX_BYTES} are the most.`);
      }
      return await readFile(found, "utf8");
    },
  };
};
