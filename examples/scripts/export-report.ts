/**
 * Turns a year of price quotes into a report, in six steps. It runs in a sandbox: no files, no
 * network, only its input and `ctx`.
 *
 *     millrace job submit --script examples/scripts/export-report.ts \
 *       --input '{"year": 2026}' --input-file quotes=examples/data/quotes.csv --watch
 */
import type { Context } from "../../types/guest.d.ts";

type Input = {
  readonly year: number;
  /** CSV: day (MMDD), customer, product, quantity, cents. */
  readonly quotes: string;
  /** Quotes below this value (in cents) are left out. 100.00 if absent. */
  readonly minimumCents?: number;
};

type Quote = {
  readonly month: number;
  readonly customer: string;
  readonly product: string;
  readonly quantity: number;
  readonly cents: number;
};

type Fault = { readonly line: number; readonly row: string; readonly problem: string };
type Total = { readonly name: string; readonly count: number; readonly cents: number };
type Month = {
  readonly count: number;
  readonly cents: number;
  readonly low: number;
  readonly high: number;
};

const STEPS = ["validate", "query", "process", "format", "generate", "finalise"] as const;
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const PRODUCTS = new Set("A1 A2 A3 B1 B2 C1 C2 C3 D1 E1 E2 F1 F2 G1 H1 K1".split(" "));
const RESAMPLES = 500;

/** Tells where it stands; `within` is the fraction of the step that is done. */
const reporter =
  (ctx: Context) =>
  (step: number, within: number, message: string): void => {
    const steps = STEPS.length;
    const text = `${STEPS[step]}: ${message}`;
    ctx.progress({ step: step + 1, steps, done: within, total: 1, message: text });
  };

type Report = ReturnType<typeof reporter>;

const lastDay = (month: number, year: number): number =>
  month === 2 && new Date(Date.UTC(year, 1, 29)).getUTCMonth() !== 1 ? 28 : (DAYS[month - 1] ?? 0);

const isDay = (text: string, year: number): boolean => {
  const [month, day] = [Number(text.slice(0, 2)), Number(text.slice(2))];
  return (
    /^\d{4}$/.test(text) && month >= 1 && month <= 12 && day >= 1 && day <= lastDay(month, year)
  );
};

const problemOf = (cells: readonly string[], year: number): string | null => {
  const [day = "", customer = "", product = "", quantity = "", cents = ""] = cells;
  if (cells.length !== 5) return `has ${cells.length} columns instead of 5`;
  if (!isDay(day, year)) return `${day} is no day of ${year} (MMDD)`;
  if (!/^[A-Z]{2}$/.test(customer)) return "names no customer";
  if (!PRODUCTS.has(product)) return `names the unknown product ${product}`;
  if (!/^[1-9]\d*$/.test(quantity)) return `has the quantity ${quantity}`;
  return /^\d+$/.test(cents) ? null : `has the price ${cents}`;
};

/** Step 1: rows to quotes; what is wrong is reported with its line, and left out. */
const validate = async (input: Input, ctx: Context, report: Report) => {
  const rows = input.quotes.trimEnd().split("\n").slice(1);
  const quotes: Quote[] = [];
  const faults: Fault[] = [];
  for (const [index, row] of rows.entries()) {
    const cells = row.split(",");
    const problem = problemOf(cells, input.year);
    if (problem === null) {
      const [day = "", customer = "", product = "", quantity, cents] = cells;
      const month = Number(day.slice(0, 2));
      quotes.push({ month, customer, product, quantity: Number(quantity), cents: Number(cents) });
    } else {
      faults.push({ line: index + 2, row, problem });
      console.warn(`line ${index + 2} ${problem}: ${row}`);
    }
    if (index % 5_000 === 0) {
      report(0, index / rows.length, `${index} of ${rows.length} rows`);
      await ctx.sleep(0);
    }
  }
  if (quotes.length === 0) throw new Error("not one row of the quotes is usable");
  ctx.log(`${quotes.length} good rows, ${faults.length} bad ones left out`);
  return { quotes, faults };
};

const valueOf = (quote: Quote): number => quote.quantity * quote.cents;

/** Step 2: the quotes that matter. */
const query = (quotes: readonly Quote[], minimumCents: number, report: Report): Quote[] => {
  report(1, 0, `at least ${(minimumCents / 100).toFixed(2)}`);
  return quotes.filter((quote) => valueOf(quote) >= minimumCents);
};

const totalsBy = (quotes: readonly Quote[], nameOf: (quote: Quote) => string): Total[] => {
  const totals = new Map<string, { count: number; cents: number }>();
  for (const quote of quotes) {
    const total = totals.get(nameOf(quote)) ?? { count: 0, cents: 0 };
    total.count += 1;
    total.cents += valueOf(quote);
    totals.set(nameOf(quote), total);
  }
  return [...totals]
    .map(([name, total]) => ({ name, ...total }))
    .toSorted((a, b) => b.cents - a.cents);
};

/** The same numbers at every run: results are compared, so nothing in them is left to chance. */
const createRandom = (seed: number) => {
  let state = seed;
  return (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
};

/** The range in which the mean of a month lies with 95 % (percentile bootstrap). */
const interval = (values: readonly number[], seed: number): readonly [number, number] => {
  const below = createRandom(seed);
  const means = Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let draw = 0; draw < values.length; draw += 1) sum += values[below(values.length)] ?? 0;
    return sum / values.length;
  }).toSorted((a, b) => a - b);
  return [means[Math.floor(RESAMPLES * 0.025)] ?? 0, means[Math.floor(RESAMPLES * 0.975)] ?? 0];
};

/** Step 3: totals and the trend over the months. The long one. */
const processQuotes = async (quotes: readonly Quote[], ctx: Context, report: Report) => {
  const months: Month[] = [];
  for (const [index, name] of MONTHS.entries()) {
    report(2, index / MONTHS.length, `the trend of ${name}`);
    await ctx.sleep(0);
    const values = quotes.filter((quote) => quote.month === index + 1).map(valueOf);
    const [low, high] = interval(values, index + 1);
    const cents = values.reduce((sum, value) => sum + value, 0);
    months.push({ count: values.length, cents, low, high });
  }
  const customers = totalsBy(quotes, (quote) => quote.customer);
  const products = totalsBy(quotes, (quote) => quote.product);
  return { months, customers, products };
};

type Figures = Awaited<ReturnType<typeof processQuotes>>;

const money = (cents: number): string => (cents / 100).toFixed(2).replace(/\B(?=(\d{3})+\.)/g, " ");

const table = (heading: readonly string[], rows: readonly (readonly string[])[]): string => {
  const columns = heading.map((title, column) => {
    const cells = rows.map((row) => row[column] ?? "");
    const width = Math.max(title.length, ...cells.map((cell) => cell.length));
    const numeric = cells.every((cell) => /^\d/.test(cell));
    return (cell: string): string => (numeric ? cell.padStart(width) : cell.padEnd(width));
  });
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => columns[column]?.(cell) ?? cell)
      .join("  ")
      .trimEnd();
  const lines = [heading, ...rows].map(line);
  const rule = "─".repeat(Math.max(...lines.map((text) => text.length)));
  return lines.toSpliced(1, 0, rule).join("\n");
};

const totalsTable = (title: string, totals: readonly Total[], all: number): string =>
  table(
    [title, "quotes", "value", "share"],
    totals.map((total) => [
      total.name,
      String(total.count),
      money(total.cents),
      `${((total.cents / all) * 100).toFixed(1)} %`,
    ]),
  );

/** Step 4: figures to tables. */
const format = ({ months, customers, products }: Figures, report: Report) => {
  report(3, 0, "three tables");
  const all = customers.reduce((sum, total) => sum + total.cents, 0);
  const most = Math.max(...months.map((month) => month.cents));
  return {
    all,
    customers: totalsTable("customer", customers.slice(0, 10), all),
    products: totalsTable("product", products.slice(0, 10), all),
    trend: table(
      ["month", "quotes", "value", "mean of a quote (95 %)", ""],
      months.map((month, index) => [
        MONTHS[index] ?? "",
        String(month.count),
        money(month.cents),
        `${money(month.low)} … ${money(month.high)}`,
        "▇".repeat(Math.round((month.cents / most) * 20)),
      ]),
    ),
  };
};

/** Step 5: the text. */
const generate = (
  input: Input,
  quotes: readonly Quote[],
  faults: readonly Fault[],
  tables: ReturnType<typeof format>,
  report: Report,
): string => {
  report(4, 0, "the report");
  return [
    `Quotes of ${input.year}`,
    `${quotes.length} quotes worth ${money(tables.all)}; ${faults.length} rows could not be read.`,
    `Ten largest customers\n\n${tables.customers}`,
    `Ten largest products\n\n${tables.products}`,
    `Month by month\n\n${tables.trend}`,
  ].join("\n\n");
};

/** FNV-1a: enough to tell whether two reports are the same. */
const checksum = (text: string): string => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, "0");
};

export default async function exportReport(input: Input, ctx: Context) {
  const report = reporter(ctx);
  const { quotes, faults } = await validate(input, ctx, report);
  const wanted = query(quotes, input.minimumCents ?? 10_000, report);
  const figures = await processQuotes(wanted, ctx, report);
  const tables = format(figures, report);
  const text = generate(input, wanted, faults, tables, report);
  report(5, 0.5, "the checksum");
  const answer = {
    report: text,
    checksum: checksum(text),
    quotes: wanted.length,
    totalCents: tables.all,
    faults,
  };
  report(5, 1, "done");
  return answer;
}
