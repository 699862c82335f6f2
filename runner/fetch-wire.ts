/**
 * What `fetch` of a script says to the broker, as the host call `fetch`. The guest builds it, the
 * broker checks it; the answer crosses whole, so its size is limited before it does.
 */
export type FetchRequest = {
  /** `upstream://<name>/path` or an absolute http or https URL. */
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Base64; null: no body. */
  readonly body: string | null;
  readonly redirect: "follow" | "error" | "manual";
};

export type FetchResponse = {
  readonly status: number;
  readonly statusText: string;
  /** After redirects. */
  readonly url: string;
  readonly redirected: boolean;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Base64. Decompressed. */
  readonly body: string;
};
