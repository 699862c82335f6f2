/** https://fetch.spec.whatwg.org/#headers-class */
export type HeadersInit =
  | Headers
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string>>;

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What may stand around a value without being part of it. */
const AROUND = /^[\t\n\r ]+|[\t\n\r ]+$/g;
const REFUSED = /[\0\n\r]|[^\0-\xff]/;

const nameOf = (name: unknown): string => {
  const text = String(name);
  if (!NAME.test(text)) throw new TypeError(`${JSON.stringify(text)} is not a header's name`);
  return text.toLowerCase();
};

const valueOf = (value: unknown, name: string): string => {
  const text = String(value).replace(AROUND, "");
  if (REFUSED.test(text)) throw new TypeError(`the header ${name} holds what no header may`);
  return text;
};

const pairsOf = (init: object): Iterable<unknown> => {
  const iterable = init as Partial<Iterable<unknown>>;
  return iterable[Symbol.iterator] === undefined
    ? Object.entries(init)
    : (init as Iterable<unknown>);
};

export class Headers {
  readonly #values = new Map<string, string[]>();

  constructor(init?: HeadersInit) {
    if (init === undefined) return;
    if (typeof init !== "object" || init === null) {
      throw new TypeError("Headers are made of an object or of pairs");
    }
    for (const pair of pairsOf(init)) {
      const [name, value, ...more] = pair as Iterable<unknown>;
      if (value === undefined || more.length > 0) {
        throw new TypeError("a header is a pair of a name and a value");
      }
      this.append(name as string, value as string);
    }
  }

  append(name: string, value: string): void {
    const key = nameOf(name);
    const text = valueOf(value, key);
    const values = this.#values.get(key);
    if (values === undefined) this.#values.set(key, [text]);
    else values.push(text);
  }

  delete(name: string): void {
    this.#values.delete(nameOf(name));
  }

  get(name: string): string | null {
    return this.#values.get(nameOf(name))?.join(", ") ?? null;
  }

  getSetCookie(): string[] {
    return [...(this.#values.get("set-cookie") ?? [])];
  }

  has(name: string): boolean {
    return this.#values.has(nameOf(name));
  }

  set(name: string, value: string): void {
    const key = nameOf(name);
    this.#values.set(key, [valueOf(value, key)]);
  }

  forEach(each: (value: string, name: string, parent: Headers) => void, thisArg?: unknown): void {
    for (const [name, value] of this.entries()) each.call(thisArg, value, name, this);
  }

  /** Sorted by name; each cookie on its own, other values joined. */
  *entries(): Generator<[string, string], undefined, unknown> {
    for (const name of [...this.#values.keys()].sort()) {
      const values = this.#values.get(name) ?? [];
      if (name === "set-cookie") for (const value of values) yield [name, value];
      else yield [name, values.join(", ")];
    }
  }

  *keys(): Generator<string, undefined, unknown> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): Generator<string, undefined, unknown> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): Generator<[string, string], undefined, unknown> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return "Headers";
  }
}
