import { type Destination, isSameOrigin } from "./destination.ts";
import type { Header } from "./request.ts";

/** A request on its way: what a redirect changes of it. Placeholders are still in it. */
export type Hop = {
  readonly to: Destination;
  readonly method: string;
  readonly headers: readonly Header[];
  readonly body: Buffer | null;
};

const ABOUT_THE_BODY: ReadonlySet<string> = new Set([
  "content-encoding",
  "content-language",
  "content-location",
  "content-type",
]);

const FOR_ONE_ORIGIN: ReadonlySet<string> = new Set(["authorization", "cookie"]);

/** As the Fetch standard has it; besides, headers with secrets stay with the origin they were for. */
export const nextHop = (
  hop: Hop,
  status: number,
  to: Destination,
  holdsSecret: (value: string) => boolean,
): Hop => {
  const dropsBody =
    ((status === 301 || status === 302) && hop.method === "POST") ||
    (status === 303 && hop.method !== "GET" && hop.method !== "HEAD");
  const leaves = !isSameOrigin(hop.to, to);
  const headers = hop.headers.filter(([name, value]) => {
    const lower = name.toLowerCase();
    if (dropsBody && ABOUT_THE_BODY.has(lower)) return false;
    return !leaves || !(FOR_ONE_ORIGIN.has(lower) || holdsSecret(value));
  });
  return dropsBody
    ? { to, method: "GET", headers, body: null }
    : { to, method: hop.method, headers, body: hop.body };
};
