/** Bounds of what a caller may hand over. One list for the border, the docs and the messages. */
export const KIB = 1024;
export const MIB = 1024 * KIB;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const LIMITS = {
  inputBytes: MIB,
  resultBytes: MIB,
  /**
   * Levels of arrays and objects in inputs and results. Clients refuse messages nested deeper than
   * 100, and an object in a `Value` takes three for each level.
   */
  jsonDepth: 30,
  scriptBytes: 256 * KIB,
  submitBatch: 1_000,
  nameLength: 200,
  typeLength: 100,
  requestIdLength: 100,
  concurrencyKeyLength: 200,
  labels: 32,
  labelKeyLength: 63,
  labelValueLength: 200,
  filterLabels: 8,
  filterStates: 50,
  priority: { min: -100, max: 100 },
  retries: { min: 0, max: 100 },
  initialBackoffMs: { min: 0, max: DAY },
  maxBackoffMs: { min: 0, max: 7 * DAY },
  multiplier: { min: 1, max: 10 },
  jitter: { min: 0, max: 1 },
  attemptTimeoutMs: { min: 100, max: DAY },
  totalTimeoutMs: { min: 100, max: 30 * DAY },
  runAtAheadMs: 366 * DAY,
  urlLength: 2_048,
  cancelReasonLength: 500,
  progressMessageLength: 500,
  pageSize: { max: 1_000, default: 50 },
  outputPage: { max: 1_000, default: 100 },
  outputLineBytes: 8 * KIB,
  updateBatch: 1_000,
  outputLinesPerUpdate: 1_000,
  stepsPerUpdate: 100,
  stepNameLength: 100,
  stepResultBytes: 256 * KIB,
  errorMessageBytes: 8 * KIB,
  runWaitMs: { max: 5 * MINUTE, default: 30 * SECOND },
  organizationNameLength: 200,
  userNameLength: 200,
  tokenNameLength: 200,
  tokenLifetimeMs: { min: SECOND, max: 3_650 * DAY },
  maxRunning: { min: 0, max: 100_000 },
  maxQueued: { min: 0, max: 10_000_000 },
  weight: { min: 1, max: 1_000 },
  retentionMs: { min: 1_000, max: 3_650 * DAY },
  auditSubjectLength: 100,
  attributeNameLength: 100,
  attributeValueLength: 200,
  attributesPerUser: 1_000,
  cronLength: 200,
  scheduleIdLength: 100,
  /** Of an organization. */
  schedules: 1_000,
  /** Of what a schedule submits, as JSON: it is read and written at every firing. */
  scheduleSpecBytes: 512 * KIB,
  catchUpJobs: 100,
  schemaBytes: 256 * KIB,
  descriptionLength: 1_000,
  workflowSteps: 2_000,
  workflowTies: 20_000,
  /** Steps that follow one another. */
  workflowDepth: 500,
  /** Values that steps take out of others, in all steps together. */
  workflowBindings: 20_000,
  /** Characters of all results that one input takes values of: they are read and parsed whole. */
  boundResultsLength: 16 * MIB,
  /** Of all steps of a workflow together, as protobuf. */
  workflowBytes: 4 * MIB,
  stepNameOfWorkflowLength: 100,
  /** Of one job, over all of its attempts. */
  children: 1_000,
  /** Parents above a job. */
  childDepth: 8,
  /** Hooks whose jobs led to a job. */
  hookChain: 5,
  /** Of an organization. */
  hooks: 100,
  hookTypes: 50,
  /** That are told of one change of a job: each is a row of the commit that changes it. */
  hooksOfChange: 20,
  /** Notices in a row that are not delivered: then it is paused. */
  hookFailures: 20,
  hookForMs: { min: 0, max: DAY },
  hookNameLength: 200,
  pauseReasonLength: 500,
  secretOverlapMs: { min: 0, max: 30 * DAY, default: DAY },
  metricsPerQuery: 10,
  metricTypes: 50,
  metricPoints: 1_500,
  /** Of all series of an answer together. */
  metricPointsOfAnswer: 50_000,
  /** Rows that one query reads. */
  metricRows: 200_000,
  /** Of an organization. */
  metricGrants: 1_000,
  waitMs: { max: MINUTE, default: 30 * SECOND },
} as const;

export const DEFAULT_ATTEMPT_TIMEOUT_MS = 30 * SECOND;

/** An attempt that goes down with its runner is given to another this many times. */
export const MAX_LOST_ATTEMPTS = 5;

/** A runner that says nothing for so long is lost (row B8). */
export const RUNNER_LOST_AFTER_MS = 15 * SECOND;

/** How long the lines of the audit log are kept. */
export const AUDIT_RETENTION_MS = 365 * DAY;

/** What one organization may have at once, unless its own limits say otherwise. */
export const ORGANIZATION_DEFAULTS = {
  maxRunning: 5,
  maxQueued: 1_000_000,
  weight: 1,
  retentionMs: 30 * DAY,
} as const;
