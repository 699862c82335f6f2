import type { IncomingMessage } from "node:http";

/** How an attack has to end. */
export type Outcome =
  /** The job succeeds with exactly this JSON value: the attack came to nothing. */
  | { readonly kind: "value"; readonly value: unknown }
  /** The job fails with one of the codes. */
  | { readonly kind: "fails"; readonly codes: readonly string[]; readonly message?: RegExp }
  /** The one or the other: it depends on which limit comes first. */
  | { readonly kind: "either"; readonly value: unknown; readonly codes: readonly string[] }
  /** The job is not taken in. */
  | { readonly kind: "refused"; readonly message: RegExp }
  /** Or it had succeeded with `or`, or spent its processor time, by then. */
  | { readonly kind: "cancelled"; readonly or?: unknown; readonly computes?: true };

/** A script that means harm, as a row of a table. */
export type Attack = {
  readonly name: string;
  /** A whole module. */
  readonly code: string;
  readonly outcome: Outcome;
  readonly language?: "TYPESCRIPT";
  /** If there is none: the ports of a server that may be reached and of one that may not, `{ open, shut }`. */
  readonly input?: unknown;
  /** Of the attempt; long if what ends the attack is something else. */
  readonly timeoutMs?: number;
  /** When the job is cancelled. */
  readonly cancel?: "when it prints" | "at once" | "again and again";
  /** What else must be true; `heard` has all requests that went out to servers. @throws if it is not */
  readonly also?: (seen: Seen, heard: readonly IncomingMessage[]) => void;
};

/** What anybody who may see the job gets to see of it. */
export type Seen = {
  readonly result: unknown;
  readonly code: string;
  readonly message: string;
  readonly stack: string;
  /** `STDOUT hello` */
  readonly output: readonly string[];
  readonly outputTotal: number;
  readonly fraction: number;
  readonly progressMessage: string;
  readonly cpuMs: number;
  readonly ranMs: number;
};

export const value = (expected: unknown): Outcome => ({ kind: "value", value: expected });

export const fails = (...codes: readonly string[]): Outcome => ({ kind: "fails", codes });

export const failsWith = (code: string, message: RegExp): Outcome => ({
  kind: "fails",
  codes: [code],
  message,
});

export const either = (expected: unknown, ...codes: readonly string[]): Outcome => ({
  kind: "either",
  value: expected,
  codes,
});

export const refused = (message: RegExp): Outcome => ({ kind: "refused", message });

/** `body` as the default export of a module, an async function of `input` and `ctx`. */
export const script = (body: string): string =>
  `export default async (input, ctx) => {\n${body}\n};`;

/** A script that tries each expression and answers with what came of it: a value, or the error's name. */
export const tries = (expressions: readonly string[]): string =>
  script(`
    const came = [];
    const attempt = async (run) => {
      try { came.push(await run()); } catch (error) { came.push(error.name); }
    };
    ${expressions.map((one) => `await attempt(() => ${one});`).join("\n")}
    return came;
  `);
