import { findDocker, findInstalled, installPackage } from "./mariadb-find.ts";
import { type RunningServer, startContainer, startInstalled } from "./mariadb-server.ts";

export const NO_SERVER =
  "These tests need a real MariaDB or MySQL, and none was found. Do one of these:\n" +
  "  - install MariaDB (Debian, Ubuntu: apt-get install mariadb-server; macOS: brew install mariadb)\n" +
  "  - start Docker\n" +
  "  - set MILLRACE_TEST_MYSQL_URL to a server on which databases may be created,\n" +
  "    such as mysql://root:secret@127.0.0.1:3306";

const sayOnStderr = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/**
 * A MariaDB or MySQL for tests and benchmarks, with full durability: the one that
 * MILLRACE_TEST_MYSQL_URL names, or a fresh one, which goes when `stop` is called or this process
 * ends. Ready in one to two seconds.
 *
 * @throws Error that says what to do, when there is no way to have one
 */
export const startMariadb = async (say = sayOnStderr): Promise<RunningServer> => {
  const given = process.env["MILLRACE_TEST_MYSQL_URL"] ?? "";
  if (given !== "") return { url: given, stop: async () => await Promise.resolve() };
  const installed = await findInstalled();
  if (installed !== null) return await startInstalled(installed);
  const docker = await findDocker();
  if (docker !== null) return await startContainer(docker);
  const fresh = await installPackage(say);
  if (fresh !== null) return await startInstalled(fresh);
  throw new Error(NO_SERVER);
};
