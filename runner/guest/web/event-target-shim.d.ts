/** The package has declarations, but does not export them. */
declare module "event-target-shim" {
  export class Event {
    constructor(type: string, init?: object);
    readonly type: string;
  }
  export class EventTarget {
    addEventListener(type: string, listener: unknown, options?: unknown): void;
    removeEventListener(type: string, listener: unknown, options?: unknown): void;
    dispatchEvent(event: Event): boolean;
  }
  export const getEventAttributeValue: (target: EventTarget, type: string) => unknown;
  export const setEventAttributeValue: (
    target: EventTarget,
    type: string,
    callback: unknown,
  ) => void;
  export const setErrorHandler: (handler: (error: Error) => void) => void;
  export const setWarningHandler: (handler: () => void) => void;
}
