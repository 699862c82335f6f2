import { apply } from "../primordials.ts";

/** What whatwg-url asks of tr46. */
type Tr46 = { toASCII(domain: string, options: object): string | null };

declare const require: (path: "tr46") => Tr46;

const PLAIN = /^[\0-\x7f]*$/;
const PUNYCODE = /(^|\.)xn--/i;
const { test } = RegExp.prototype;

/**
 * Stands in for tr46, whose tables take 240 KB. The URL Standard (domain to ASCII, beStrict false):
 * for ASCII without "xn--" it "is equivalent to ASCII lowercasing".
 */
export const toASCII = (domain: string, options: object): string | null =>
  apply(test, PLAIN, [domain]) && !apply(test, PUNYCODE, [domain])
    ? domain.toLowerCase()
    : require("tr46").toASCII(domain, options);
