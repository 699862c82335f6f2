import { execFileSync } from "node:child_process";

/** As whom a command runs. */
export type Account = { readonly uid: number; readonly gid: number };

/** The message says why the account cannot be used. */
export class AccountFault extends Error {
  override readonly name = "AccountFault";
}

const NUMBERS = /^(\d{1,10}):(\d{1,10})$/;

/** `name`, `uid` or `uid:gid`. @throws AccountFault */
export const findAccount = (user: string | number): Account => {
  const text = String(user);
  const account = numbersOf(text) ?? { uid: ask("-u", text), gid: ask("-g", text) };
  const own = { uid: process.getuid?.(), gid: process.getgid?.() };
  if (own.uid === undefined) throw new AccountFault("users cannot be changed on this system");
  if (own.uid !== 0 && (own.uid !== account.uid || own.gid !== account.gid)) {
    throw new AccountFault(`needs a runner that runs as root; this one runs as uid ${own.uid}`);
  }
  return account;
};

const numbersOf = (text: string): Account | null => {
  const found = NUMBERS.exec(text);
  return found === null ? null : { uid: Number(found[1]), gid: Number(found[2]) };
};

/** `id` knows every source of users that the system has, not only its file. */
const ask = (flag: "-u" | "-g", user: string): number => {
  try {
    const text = execFileSync("id", [flag, "--", user], {
      encoding: "utf8",
      timeout: 5_000,
      stdio: ["ignore", "pipe", "ignore"],
    });
    return Number(text);
  } catch (cause) {
    throw new AccountFault(`the system knows no user ${user}; give uid:gid if that is meant`, {
      cause,
    });
  }
};
