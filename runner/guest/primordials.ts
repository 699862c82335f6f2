/**
 * Intrinsics as they were before any line of a script ran. Trusted guest code calls only these, so
 * that a script which patches Map, Promise or JSON fools nobody but itself.
 */
const { apply, defineProperty, deleteProperty } = Reflect;
const { keys, freeze, getPrototypeOf, setPrototypeOf } = Object;

const { parse: jsonParse, stringify: jsonStringify } = JSON;
const { isArray } = Array;
const { now } = Date;
const { floor, max, min, trunc } = Math;
const { isFinite } = Number;

export { apply, defineProperty, deleteProperty, freeze, getPrototypeOf, keys };
export { floor, isArray, isFinite, jsonParse, jsonStringify, max, min, now, trunc };

/** `method` as a function of its receiver. Rest arguments need no patched iterator. */
const uncurry =
  <A extends readonly unknown[], R>(method: (this: never, ...args: A) => R) =>
  (self: unknown, ...args: A): R =>
    apply(method as (...all: never) => R, self, args) as R;

export const sliceText = uncurry(String.prototype.slice);
export const indexOfText = uncurry(String.prototype.indexOf);
export const charCodeAt = uncurry(String.prototype.charCodeAt);
export const isoText = uncurry(Date.prototype.toISOString);
export const mapForEach = uncurry(
  Map.prototype.forEach as (each: (item: unknown, key: unknown) => void) => void,
);
export const mapGet = uncurry(Map.prototype.get as (key: unknown) => unknown);
export const mapSet = uncurry(Map.prototype.set as (key: unknown, value: unknown) => unknown);
export const mapDelete = uncurry(Map.prototype.delete as (key: unknown) => boolean);
export const setForEach = uncurry(Set.prototype.forEach as (each: (item: unknown) => void) => void);
export const weakGet = uncurry(WeakMap.prototype.get as (key: object) => unknown);
export const weakSet = uncurry(WeakMap.prototype.set as (key: object, value: unknown) => unknown);

/** Its own `constructor` hides one that a script may put on the prototype: `await` looks at it. */
export const resolved: Promise<void> = Promise.resolve();
defineProperty(resolved, "constructor", { value: Promise });

/** A property as those of the language itself. A null prototype keeps polluted ones out. */
export const defineHidden = (on: object, name: PropertyKey, value: unknown): void => {
  defineProperty(on, name, {
    __proto__: null,
    value,
    writable: true,
    configurable: true,
    enumerable: false,
  } as PropertyDescriptor);
};

export const GuestPromise = Promise;
export const GuestError = Error;
export const GuestTypeError = TypeError;
export const GuestMap = Map;
export const GuestSet = Set;
export const GuestDate = Date;
export const GuestWeakMap = WeakMap;
export const toText = String;
export const toNumber = Number;

/** An empty array without a prototype: no setter of the script's sees what is put at an index. */
export const list = <T>(): T[] => setPrototypeOf([], null) as T[];
