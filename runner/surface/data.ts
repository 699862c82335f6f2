import { entries } from "./entry.ts";

/** Text, bytes, addresses, randomness. */
export const DATA = entries([
  {
    name: "URL",
    doc: "The URL Standard's `URL`, with `canParse` and `parse`.",
    declaration: `class URL {
  constructor(url: string | URL, base?: string | URL);
  static canParse(url: string | URL, base?: string | URL): boolean;
  static parse(url: string | URL, base?: string | URL): URL | null;
  href: string;
  readonly origin: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  readonly searchParams: URLSearchParams;
  hash: string;
  toString(): string;
  toJSON(): string;
}`,
  },
  {
    name: "URLSearchParams",
    doc: "The URL Standard's `URLSearchParams`.",
    declaration: `class URLSearchParams {
  constructor(
    init?: string | URLSearchParams | Readonly<Record<string, string>> | Iterable<readonly [string, string]>,
  );
  readonly size: number;
  append(name: string, value: string): void;
  delete(name: string, value?: string): void;
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string, value?: string): boolean;
  set(name: string, value: string): void;
  sort(): void;
  forEach(each: (value: string, name: string, parent: URLSearchParams) => void, thisArg?: unknown): void;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string>;
  entries(): IterableIterator<[string, string]>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
  toString(): string;
}`,
  },
  {
    name: "TextEncoder",
    doc: "Text to UTF-8: `encode`, `encodeInto`.",
    declaration: `class TextEncoder {
  readonly encoding: "utf-8";
  encode(text?: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, target: Uint8Array): { read: number; written: number };
}`,
  },
  {
    name: "TextDecoder",
    doc: "Bytes to text: UTF-8, UTF-16 (LE, BE) and the single-byte encodings of the Encoding Standard (`latin1`, `windows-1252`, …); no East Asian ones.",
    declaration: `class TextDecoder {
  constructor(label?: string, options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean });
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(bytes?: ArrayBuffer | ArrayBufferView, options?: { readonly stream?: boolean }): string;
}`,
  },
  {
    name: "atob",
    doc: "Base64 to a string of bytes.",
    declaration: `function atob(base64: string): string;`,
  },
  {
    name: "btoa",
    doc: "A string of bytes to Base64.",
    declaration: `function btoa(bytes: string): string;`,
  },
  {
    name: "crypto",
    doc: "`getRandomValues`, `randomUUID`, and `subtle.digest` for SHA-1, SHA-256, SHA-384 and SHA-512.",
    declaration: `var crypto: {
  /** At most 65,536 bytes at once. */
  getRandomValues<T extends ArrayBufferView>(integers: T): T;
  randomUUID(): \`\${string}-\${string}-\${string}-\${string}-\${string}\`;
  subtle: {
    digest(
      algorithm: HashName | { readonly name: HashName },
      data: ArrayBuffer | ArrayBufferView,
    ): Promise<ArrayBuffer>;
  };
};`,
  },
]);
