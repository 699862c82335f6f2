/** Which database server this machine has, or can have. */
import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export type Installed = {
  /** mariadbd or mysqld. */
  readonly server: string;
  /** mariadb-install-db; null for MySQL, which does that itself. */
  readonly installer: string | null;
};

/** Servers are often installed where only root's PATH looks. */
const FOLDERS = [
  ...(process.env["PATH"] ?? "").split(delimiter),
  "/usr/bin",
  "/usr/sbin",
  "/usr/local/sbin",
  "/usr/libexec",
  "/usr/local/mysql/bin",
  "/opt/homebrew/bin",
];

const find = async (...names: readonly string[]): Promise<string | null> => {
  for (const name of names) {
    for (const folder of FOLDERS) {
      const path = join(folder, name);
      try {
        await access(path, constants.X_OK);
        return path;
      } catch {
        // Not here: look in the next folder.
      }
    }
  }
  return null;
};

export const findInstalled = async (): Promise<Installed | null> => {
  const server = await find("mariadbd", "mysqld");
  if (server === null) return null;
  const { stdout } = await run(server, ["--version"]);
  if (!stdout.includes("MariaDB")) return { server, installer: null };
  const installer = await find("mariadb-install-db", "mysql_install_db");
  return installer === null ? null : { server, installer };
};

/** The docker command, if it has an engine to speak to. */
export const findDocker = async (): Promise<string | null> => {
  const docker = await find("docker");
  if (docker === null) return null;
  try {
    await run(docker, ["info", "--format", "{{.ServerVersion}}"], { timeout: 10_000 });
    return docker;
  } catch {
    return null;
  }
};

/** Only the server's programs where the distribution has them apart; no service is started then. */
const PACKAGES = [["mariadb-server-core", "mariadb-client-core"], ["mariadb-server"]];

/** Installs Debian's or Ubuntu's MariaDB, if this process may, and says so. */
export const installPackage = async (say: (line: string) => void): Promise<Installed | null> => {
  const aptGet = await find("apt-get");
  if (aptGet === null || userInfo().uid !== 0) return null;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  say("No MariaDB, MySQL or Docker here: installing MariaDB with apt-get for the tests.");
  await run(aptGet, ["update", "-q"], { env });
  for (const packages of PACKAGES) {
    try {
      await run(aptGet, ["install", "-yq", "--no-install-recommends", ...packages], { env });
      return await findInstalled();
    } catch (cause) {
      say(`apt-get install ${packages.join(" ")} failed: ${String(cause).slice(0, 500)}`);
    }
  }
  return null;
};
