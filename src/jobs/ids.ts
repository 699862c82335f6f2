/** Branded ids: all are text, none can be passed for another. */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** UUIDv7, canonical lower case. Unique within an organization. */
export type JobId = Branded<"JobId">;
export type OrganizationId = Branded<"OrganizationId">;
export type UserId = Branded<"UserId">;
/** UUIDv7. */
export type WorkflowId = Branded<"WorkflowId">;
/** UUIDv7. */
export type HookId = Branded<"HookId">;
/** UUIDv7; the `webhook-id` of every try. */
export type DeliveryId = Branded<"DeliveryId">;
/** Chosen by a runner process at its start. */
export type RunnerId = Branded<"RunnerId">;
/** The secret name of one attempt: who presents it may report on that attempt. */
export type LeaseToken = Branded<"LeaseToken">;
/** SHA-256 of a script's language and text, in hex. */
export type ScriptHash = Branded<"ScriptHash">;
/** `script`, `handler:<name>` or `command:<name>`: what a runner must be able to do; or `external`. */
export type Capability = Branded<"Capability">;

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** True for the canonical lower-case text of a UUIDv7 (RFC 9562). */
export const isUuidV7 = (text: string): boolean => UUID_V7.test(text);

const ID = /^[\x21-\x7e]{1,36}$/;

/** True for whatever may be an id of ours. MySQL compares columns of ids with nothing else. */
export const isId = (text: string): boolean => ID.test(text);

export const SCRIPT = "script" as Capability;
/** Work that somebody else does, who reports with UpdateJob. No runner can do it. */
export const EXTERNAL = "external" as Capability;
/** Stands where a runner's id would, for an attempt of EXTERNAL work. No runner has this id. */
export const EXTERNAL_RUNNER = "external" as RunnerId;
