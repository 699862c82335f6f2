import { tableText } from "./table.ts";

type Check = {
  readonly active: readonly string[];
  readonly missing: readonly string[];
  readonly proofs: readonly {
    readonly tries: string;
    readonly wanted: string;
    readonly got: string;
    readonly contained: boolean;
    readonly ms: number;
  }[];
};

/** What `millrace runner --check` found, for people. */
export const checkText = ({ active, missing, proofs }: Check): string =>
  [
    tableText(
      ["LAYER", "STATE"],
      [...active.map((name) => [name, "active"]), ...missing.map((name) => [name, "missing"])],
    ),
    tableText(
      ["A SCRIPT TRIES TO", "IT MUST END WITH", "IT ENDED WITH", "MS", "CONTAINED"],
      proofs.map(({ tries, wanted, got, ms, contained }) => [
        tries,
        wanted,
        got,
        ms.toFixed(0),
        contained ? "yes" : "NO",
      ]),
    ),
  ].join("\n\n");
