import { DOMException } from "./dom-exception.ts";

/**
 * What libraries see as the global object, where they would look whether what they bring is there
 * already, and so ask for themselves.
 */
export const surroundings: object = { __proto__: null, DOMException };

/** For a library that looks at it while it is evaluated: nothing is one of these. */
export class SharedArrayBuffer {
  get byteLength(): number {
    throw new TypeError("there is no shared memory");
  }

  get growable(): boolean {
    throw new TypeError("there is no shared memory");
  }
}
