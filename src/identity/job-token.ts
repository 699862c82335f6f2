import { createHmac, timingSafeEqual } from "node:crypto";

import { isUuidV7, type JobId, type OrganizationId } from "../jobs/ids.ts";
import { base62, checksumOf, CHECKSUM_LENGTH } from "./token.ts";

/**
 * The own token of one attempt of a job: `mrj_<epoch>_<organization>_<job>_<attempt>_<mac><checksum>`.
 * There is no row of it: the MAC proves that this service made it, with the key of that epoch.
 */
export type JobTokenSubject = {
  readonly organizationId: OrganizationId;
  readonly jobId: JobId;
  readonly attempt: number;
};

export type ParsedJobToken = JobTokenSubject & {
  /** The day of the database's clock on which its key was the current one. */
  readonly epoch: number;
  readonly mac: string;
};

export type JobTokenKey = { readonly epoch: number; readonly secret: string };

/** Characters that hold 256 bits in base 62. */
const MAC_LENGTH = 43;

const ID = "[\\x21-\\x7e]{1,36}";
const UUID = "[0-9a-f-]{36}";
const TOKEN = new RegExp(
  `^mrj_(\\d{1,6})_(${ID})_(${UUID})_(\\d{1,9})_([0-9A-Za-z]{${MAC_LENGTH}})([0-9A-Za-z]{${CHECKSUM_LENGTH}})$`,
);

const macOf = (
  { epoch, secret }: JobTokenKey,
  { organizationId, jobId, attempt }: JobTokenSubject,
): string => {
  const digest = createHmac("sha256", secret)
    .update(`job-token\0${organizationId}\0${jobId}\0${attempt}\0${epoch}`)
    .digest("hex");
  return base62(BigInt(`0x${digest}`), MAC_LENGTH);
};

export const formatJobToken = (key: JobTokenKey, subject: JobTokenSubject): string => {
  const { organizationId, jobId, attempt } = subject;
  const text = `mrj_${key.epoch}_${organizationId}_${jobId}_${attempt}_${macOf(key, subject)}`;
  return `${text}${checksumOf(text)}`;
};

/** Null for whatever is no job's token, or was mistyped. Proves nothing yet. */
export const parseJobToken = (text: string): ParsedJobToken | null => {
  const [, epoch, organizationId, jobId = "", attempt, mac, sum] = TOKEN.exec(text) ?? [];
  if (mac === undefined || sum !== checksumOf(text.slice(0, -CHECKSUM_LENGTH))) return null;
  if (!isUuidV7(jobId)) return null;
  return {
    epoch: Number(epoch),
    organizationId: organizationId as OrganizationId,
    jobId: jobId as JobId,
    attempt: Number(attempt),
    mac,
  };
};

/** In constant time. */
export const isGenuine = (key: JobTokenKey, token: ParsedJobToken): boolean =>
  key.epoch === token.epoch &&
  timingSafeEqual(Buffer.from(macOf(key, token)), Buffer.from(token.mac));

/** As the audit log and RevokeToken name it. */
export const jobTokenId = (jobId: JobId, attempt: number): string => `job:${jobId}#${attempt}`;

/** Null for whatever is not the id of a job's own token. */
export const parseJobTokenId = (
  text: string,
): { readonly jobId: JobId; readonly attempt: number } | null => {
  const [, jobId = "", attempt] = /^job:([0-9a-f-]{36})#([1-9]\d{0,8})$/.exec(text) ?? [];
  return isUuidV7(jobId) ? { jobId: jobId as JobId, attempt: Number(attempt) } : null;
};
