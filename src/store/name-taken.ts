import { DatabaseError } from "./engine.ts";
import { NameTaken } from "./identity-store.ts";

/**
 * The unique index decides, so that of two who come at once one is refused. Ids are random: what
 * is taken is the name. @throws NameTaken
 */
export const unlessTaken = async <T>(name: string, write: () => Promise<T>): Promise<T> => {
  try {
    return await write();
  } catch (cause) {
    if (cause instanceof DatabaseError && cause.isDuplicate) throw new NameTaken(name);
    throw cause;
  }
};
