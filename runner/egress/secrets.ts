import { type Destination, placeOf, servesOrganization } from "./destination.ts";
import { isHeaderValue } from "./header-rules.ts";
import { matchesOrigin, type OriginPattern } from "./origin-pattern.ts";
import { denied } from "./refusal.ts";
import type { Header } from "./request.ts";

/** A value that scripts may use without having it. */
export type Secret = {
  readonly name: string;
  readonly value: string;
  readonly organizations: readonly string[] | undefined;
  /** Where it may go, by name. */
  readonly upstreams: readonly string[];
  readonly origins: readonly OriginPattern[];
  /** As redaction looks for it. */
  readonly forms: readonly string[];
};

export const mayGoTo = (secret: Secret, to: Destination): boolean =>
  to.kind === "upstream"
    ? secret.upstreams.includes(to.upstream.name)
    : secret.origins.some((pattern) => matchesOrigin(pattern, to.url));

export const secretsOf = (secrets: readonly Secret[], organizationId: string): readonly Secret[] =>
  secrets.filter(({ organizations }) => servesOrganization(organizations, organizationId));

/** The placeholders of one attempt: what its script has instead of the values. */
export type Placeholders = {
  /** By the name of the secret. */
  readonly byName: Readonly<Record<string, string>>;
  isIn(text: string): boolean;
  /** Values in the place of placeholders. @throws HostFault egress.denied: not for this destination */
  url(to: Destination): URL;
  headers(headers: readonly Header[], to: Destination): Header[];
  body(body: Buffer, type: string, to: Destination): Buffer;
};

/** `mint` makes a text that nobody can guess, of characters that no encoding touches. */
export const createPlaceholders = (
  secrets: readonly Secret[],
  mint: () => string,
): Placeholders => {
  const minted = secrets.map((secret) => ({ secret, placeholder: `mrs_${mint()}` }));

  const fill = (text: string, to: Destination, encode: (value: string) => string): string => {
    let filled = text;
    for (const { secret, placeholder } of minted) {
      if (!filled.includes(placeholder)) continue;
      if (!mayGoTo(secret, to)) throw refused(secret, to);
      filled = filled.replaceAll(placeholder, () => encode(secret.value));
    }
    return filled;
  };

  const isIn = (text: string): boolean =>
    minted.some(({ placeholder }) => text.includes(placeholder));

  return {
    byName: Object.fromEntries(minted.map(({ secret, placeholder }) => [secret.name, placeholder])),
    isIn: (text) => isIn(text) || isIn(basicCredentials(text) ?? ""),
    url: (to) => {
      const url = new URL(to.url);
      if (!isIn(url.href)) return url;
      url.pathname = fill(url.pathname, to, encodeURIComponent);
      url.search = fill(url.search, to, encodeURIComponent);
      return url;
    },
    headers: (headers, to) =>
      headers.map(([name, value]) => {
        const credentials = basicCredentials(value);
        const filled =
          credentials !== null && isIn(credentials)
            ? `Basic ${Buffer.from(fill(credentials, to, asItIs)).toString("base64")}`
            : fill(value, to, asItIs);
        if (filled === value || isHeaderValue(filled)) return [name, filled];
        throw denied(`the secret in the header ${name} holds what no header may`);
      }),
    body: (body, type, to) => {
      if (!minted.some(({ placeholder }) => body.includes(placeholder))) return body;
      // Latin-1 keeps every byte of what is around the placeholders.
      const encode = encodingOf(type);
      const filled = fill(body.toString("latin1"), to, (value) =>
        Buffer.from(encode(value)).toString("latin1"),
      );
      return Buffer.from(filled, "latin1");
    },
  };
};

const asItIs = (value: string): string => value;

const refused = (secret: Secret, to: Destination) =>
  denied(`the secret ${secret.name} may not be sent to ${placeOf(to)}`);

/** What `Authorization: Basic` holds; null: it is something else. */
const basicCredentials = (value: string): string | null => {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(value) ?? [];
  return encoded === undefined ? null : Buffer.from(encoded, "base64").toString();
};

/** How a value has to be written in a body of that type. */
const encodingOf = (type: string): ((value: string) => string) => {
  if (/^application\/x-www-form-urlencoded/i.test(type)) return encodeURIComponent;
  if (/^application\/([\w.-]+\+)?json/i.test(type)) {
    return (value) => JSON.stringify(value).slice(1, -1);
  }
  return asItIs;
};
