import { DatabaseSync } from "node:sqlite";

/** Another process serves the database file. */
export class DatabaseInUse extends Error {
  override readonly name = "DatabaseInUse";
  constructor(path: string) {
    super(
      `The database ${path} is in use by another Millrace server. ` +
        "An SQLite database can have one server only: stop the other one, or use MySQL or MariaDB for several.",
    );
  }
}

/**
 * Holds the file for one server, by an exclusive transaction on a file beside it: the operating
 * system drops that lock when the process dies, however it dies. Other processes may still open
 * the database itself, for a token or for its status.
 *
 * @returns a function that gives the file free
 * @throws DatabaseInUse
 */
export const lockFile = (path: string): (() => void) => {
  const lock = new DatabaseSync(`${path}.lock`, { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    if (cause instanceof Error && cause.message.includes("locked")) throw new DatabaseInUse(path);
    throw cause;
  }
  return () => {
    lock.close();
  };
};
