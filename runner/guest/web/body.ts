import { toText } from "../primordials.ts";
import { bytesOf } from "./bytes.ts";
import { TextDecoder, TextEncoder } from "./encoding.ts";
import type { Headers } from "./headers.ts";
import { URLSearchParams } from "./url.ts";

export type BodyInit = string | ArrayBuffer | ArrayBufferView | URLSearchParams;

/** A body and what it says about itself. Null: there is none. */
export type Content = { readonly bytes: Uint8Array<ArrayBuffer>; readonly type: string | null };

/** https://fetch.spec.whatwg.org/#concept-bodyinit-extract, of what a script can have. */
export const contentOf = (body: unknown): Content | null => {
  if (body === undefined || body === null) return null;
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    return { bytes: new Uint8Array(bytesOf(body)), type: null };
  }
  const bytes = new TextEncoder().encode(toText(body));
  return body instanceof URLSearchParams
    ? { bytes, type: "application/x-www-form-urlencoded;charset=UTF-8" }
    : { bytes, type: "text/plain;charset=UTF-8" };
};

let give: (body: Body, content: Content | null, headers: Headers) => void;
let peek: (body: Body) => Uint8Array<ArrayBuffer> | null;
let take: (body: Body) => Uint8Array<ArrayBuffer> | null;

/** What Request and Response have in common. The whole body is there from the beginning. */
export class Body {
  #bytes: Uint8Array<ArrayBuffer> | null = null;
  #used = false;

  static {
    give = (body, content, headers) => {
      body.#bytes = content?.bytes ?? null;
      const type = content?.type ?? null;
      if (type !== null && !headers.has("content-type")) headers.set("content-type", type);
    };
    peek = (body) => {
      if (body.#used) throw new TypeError("Body is unusable: Body has already been read");
      return body.#bytes;
    };
    take = (body) => {
      const bytes = peek(body);
      body.#used = bytes !== null;
      return bytes;
    };
  }

  get bodyUsed(): boolean {
    return this.#used;
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return await Promise.resolve(take(this) ?? new Uint8Array());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown;
  }
}

/** `peek` leaves a body to be read again, `take` does not. @throws TypeError if it was read */
export { give, peek, take };
