import { DOMException } from "./dom-exception.ts";

/** Clones by their originals: circles stay circles, and what is shared stays shared. */
type Known = Map<object, object>;

const UNCLONEABLE = [Promise, WeakMap, WeakSet, WeakRef, FinalizationRegistry, Symbol] as const;
const ERRORS = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } as const;

const refuse = (what: string): never => {
  throw new DOMException(`${what} could not be cloned.`, "DataCloneError");
};

/** https://html.spec.whatwg.org/#structured-cloning, for what there is in a script. */
export function structuredClone(
  value?: unknown,
  options?: { readonly transfer?: readonly unknown[] },
): unknown {
  if (arguments.length === 0) throw new TypeError("structuredClone needs a value");
  const moved = new Set<ArrayBuffer>();
  for (const one of options?.transfer ?? []) {
    if (!(one instanceof ArrayBuffer) || one.detached || moved.has(one)) {
      throw new DOMException("only ArrayBuffers can be moved, once", "DataCloneError");
    }
    moved.add(one);
  }
  const known: Known = new Map();
  const cloned = clone(value, known, moved);
  for (const buffer of moved) if (!buffer.detached) buffer.transfer();
  return cloned;
}

const clone = (value: unknown, known: Known, moved: ReadonlySet<ArrayBuffer>): unknown => {
  if (typeof value === "symbol") return refuse(String(value));
  if (typeof value === "function") return refuse(value.name === "" ? "a function" : value.name);
  if (typeof value !== "object" || value === null) return value;
  const found = known.get(value);
  if (found !== undefined) return found;
  const remember = <T extends object>(made: T): T => {
    known.set(value, made);
    return made;
  };
  const inner = (of: unknown): unknown => clone(of, known, moved);

  if (Array.isArray(value)) return copyKeys(value, remember(emptyArray(value.length)), inner);
  if (value instanceof Date) return remember(new Date(value.getTime()));
  if (value instanceof RegExp) return remember(new RegExp(value.source, value.flags));
  if (value instanceof ArrayBuffer) return remember(moveOrCopy(value, moved));
  if (ArrayBuffer.isView(value)) return remember(cloneView(value, inner));
  if (value instanceof Map) {
    const made = remember(new Map<unknown, unknown>());
    for (const [key, item] of [...value]) made.set(inner(key), inner(item));
    return made;
  }
  if (value instanceof Set) {
    const made = remember(new Set<unknown>());
    for (const item of [...value]) made.add(inner(item));
    return made;
  }
  if (value instanceof Error) return cloneError(value, remember, inner);
  for (const Boxed of [Boolean, Number, String, BigInt]) {
    if (value instanceof Boxed) return remember(Object(value.valueOf()) as object);
  }
  for (const Kind of UNCLONEABLE) if (value instanceof Kind) return refuse(`#<${Kind.name}>`);
  return copyKeys(value, remember({}), inner);
};

/** Its holes stay holes. */
const emptyArray = (length: number): unknown[] => {
  const made: unknown[] = [];
  made.length = length;
  return made;
};

const copyKeys = <T extends object>(from: object, to: T, inner: (of: unknown) => unknown): T => {
  for (const key of Object.keys(from)) {
    Object.defineProperty(to, key, {
      value: inner((from as Record<string, unknown>)[key]),
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return to;
};

const moveOrCopy = (buffer: ArrayBuffer, moved: ReadonlySet<ArrayBuffer>): ArrayBuffer => {
  if (buffer.detached) return refuse("a detached ArrayBuffer");
  if (moved.has(buffer)) return buffer.transfer();
  if (!buffer.resizable) return buffer.slice();
  const copy = new ArrayBuffer(buffer.byteLength, { maxByteLength: buffer.maxByteLength });
  new Uint8Array(copy).set(new Uint8Array(buffer));
  return copy;
};

type View = new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView;

const VIEWS: Readonly<Record<string, View>> = {
  BigInt64Array,
  BigUint64Array,
  Float16Array,
  Float32Array,
  Float64Array,
  Int16Array,
  Int32Array,
  Int8Array,
  Uint16Array,
  Uint32Array,
  Uint8Array,
  Uint8ClampedArray,
};

const cloneView = (view: ArrayBufferView, inner: (of: unknown) => unknown): ArrayBufferView => {
  const { byteOffset } = view;
  if (view instanceof DataView) {
    const { byteLength } = view;
    return new DataView(inner(view.buffer) as ArrayBuffer, byteOffset, byteLength);
  }
  const { length } = view as Uint8Array;
  const Kind = VIEWS[(view as Uint8Array)[Symbol.toStringTag]];
  if (Kind === undefined) return refuse("a view of an unknown kind");
  return new Kind(inner(view.buffer) as ArrayBuffer, byteOffset, length);
};

const cloneError = (
  error: Error,
  remember: <T extends object>(made: T) => T,
  inner: (of: unknown) => unknown,
): Error => {
  const { name } = error;
  const Kind = Object.hasOwn(ERRORS, name) ? ERRORS[name as keyof typeof ERRORS] : Error;
  const message = Object.hasOwn(error, "message") ? error.message : undefined;
  const made = remember(new Kind(message));
  const hide = (key: string, value: unknown): void => {
    Object.defineProperty(made, key, { value, writable: true, configurable: true });
  };
  if (Object.hasOwn(error, "stack")) hide("stack", error.stack);
  if (Object.hasOwn(error, "cause")) hide("cause", inner(error.cause));
  return made;
};
