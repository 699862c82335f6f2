/**
 * What V8 gives to every context and a script does not get: means to allocate outside of the heap
 * limit, or to build clocks.
 */
export const REMOVED = ["WebAssembly", "SharedArrayBuffer", "Atomics"] as const;
