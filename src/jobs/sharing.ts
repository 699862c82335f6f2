import { type JobRow, type Labels, NO_PROGRESS, type Progress } from "./job.ts";
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from "./retry.ts";

/** Texts that are remembered at most; then it starts anew, which costs memory only. */
const KEPT = 10_000;

const NO_LABELS: Labels = {};
const NO_HOOKS: JobRow["hookChain"] = [];

const isNone = ({ fraction, message, currentStep, totalSteps }: Progress): boolean =>
  fraction === 0 && message === "" && currentStep === 0 && totalSteps === 0;

const isSame = (a: RetryPolicy, b: RetryPolicy): boolean =>
  a.maxRetries === b.maxRetries &&
  a.initialBackoffMs === b.initialBackoffMs &&
  a.maxBackoffMs === b.maxBackoffMs &&
  a.multiplier === b.multiplier &&
  a.jitter === b.jitter;

/**
 * Lets equal values of many rows be one value in memory: of a million jobs in a queue nearly all
 * say the same in these fields (bench/backlog.ts).
 */
export class Sharing {
  readonly #texts = new Map<string, string>();
  readonly #labels = new Map<string, Labels>();
  #policy = DEFAULT_RETRY_POLICY;

  /** The same row. */
  row(row: JobRow): JobRow {
    return {
      ...row,
      organizationId: this.#text(row.organizationId),
      name: this.#text(row.name),
      type: this.#text(row.type),
      capability: this.#text(row.capability),
      labels: this.#labelsOf(row.labels),
      creatorId: this.#text(row.creatorId),
      runAs: this.#text(row.runAs),
      concurrencyKey: this.#text(row.concurrencyKey),
      callbackUrl: this.#text(row.callbackUrl),
      hookChain: row.hookChain.length === 0 ? NO_HOOKS : row.hookChain,
      retryPolicy: this.#policyOf(row.retryPolicy),
      progress: isNone(row.progress) ? NO_PROGRESS : row.progress,
    };
  }

  #text<Text extends string>(text: Text): Text {
    const known = this.#texts.get(text);
    if (known !== undefined) return known as Text;
    if (this.#texts.size >= KEPT) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }

  #policyOf(policy: RetryPolicy): RetryPolicy {
    if (isSame(policy, DEFAULT_RETRY_POLICY)) return DEFAULT_RETRY_POLICY;
    if (!isSame(policy, this.#policy)) this.#policy = policy;
    return this.#policy;
  }

  #labelsOf(labels: Labels): Labels {
    let text = "";
    // With the lengths: a value may hold anything, and rows of all organizations meet here.
    for (const name in labels) {
      const value = labels[name] ?? "";
      text += `${name.length} ${value.length} ${name}${value}`;
    }
    if (text === "") return NO_LABELS;
    const known = this.#labels.get(text);
    if (known !== undefined) return known;
    if (this.#labels.size >= KEPT) this.#labels.clear();
    this.#labels.set(text, labels);
    return labels;
  }
}
