/** For libraries that look at it while they are evaluated: nothing is one of these. */
export class SharedArrayBuffer {
  get byteLength(): number {
    throw new TypeError("there is no shared memory");
  }

  get growable(): boolean {
    throw new TypeError("there is no shared memory");
  }
}
