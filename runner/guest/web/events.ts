import {
  Event,
  EventTarget,
  getEventAttributeValue,
  setErrorHandler,
  setEventAttributeValue,
  setWarningHandler,
} from "event-target-shim";

export { Event, EventTarget };

/** What a listener throws goes to `failed`. The shim's advice to developers goes nowhere. */
export const connectEvents = (failed: (thrown: unknown) => void): void => {
  setErrorHandler(failed);
  setWarningHandler(() => {});
};

export const getHandler = getEventAttributeValue;
export const setHandler = setEventAttributeValue;
