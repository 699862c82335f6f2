import { EXIT } from "./exit-codes.ts";
import { CliFailure } from "./failure.ts";

/** What an answer always carries. @throws CliFailure */
export const requireAnswer = <T>(value: T | undefined, what: string): T => {
  if (value !== undefined) return value;
  throw new CliFailure(EXIT.refused, `The server's answer holds no ${what}.`, {
    next: "Is it a Millrace server, and not newer than this command?",
  });
};
