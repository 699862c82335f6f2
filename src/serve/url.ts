import type { Address } from "../config.ts";

const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** How others reach a listener; one that listens everywhere is found under `everywhere`. */
export const urlOf = ({ host, port }: Address, everywhere: string): string => {
  const name = WILDCARDS.has(host) ? everywhere : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
};
