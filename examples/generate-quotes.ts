/**
 * Makes examples/data/quotes.csv: 50,000 price quotes of one year, with a growth, a season, large and
 * small customers, and a few rows that are wrong. The seed is fixed: the same file every time.
 *
 *     node examples/generate-quotes.ts
 *
 * Rows are short on purpose: all of it travels in the input of one job, which is at most 1 MiB of JSON.
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";

const SEED = 20_261_122;
const ROWS = 50_000;
const HEADER = "day,customer,product,quantity,cents";

/** mulberry32: 32 bits of state are plenty here, and it is the same on every machine. */
const createRandom = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

const CUSTOMERS = "AB AK BE BO CA CO DE DU EL ES FI GA HA HO IN JO KA KI LE LU MA MI NO OR".split(
  " ",
);
const PRODUCTS = "A1 A2 A3 B1 B2 C1 C2 C3 D1 E1 E2 F1 F2 G1 H1 K1".split(" ");
const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** Autumn is strong, August is away. */
const SEASON = [0.9, 0.92, 1.05, 1.0, 1.02, 0.97, 0.85, 0.7, 1.1, 1.2, 1.25, 1.04];
const WRONG = [
  "0231,AB,A1,5,1999",
  "0614,KA,A2,-3,2499",
  "0701,MA,C1,4,free",
  "0819,LU,F2,7",
  "0930,NO,Z9,1,999",
  "1111,,B1,2,1299",
  "13,HO,D1,8,8999",
];

type Random = () => number;

const below = (random: Random, limit: number): number => Math.floor(random() * limit);

/** Small indexes far more often than large ones: few customers quote for most. */
const skewed = (random: Random, limit: number): number => Math.floor(limit * random() ** 2.2);

const two = (value: number): string => String(value).padStart(2, "0");

const monthOf = (random: Random): number => {
  for (;;) {
    const month = below(random, 12);
    const weight = (SEASON[month] ?? 1) * (0.9 + month * 0.015);
    if (random() * 1.4 < weight) return month;
  }
};

const createRow = (random: Random): string => {
  const month = monthOf(random);
  const day = 1 + below(random, DAYS_OF_MONTH[month] ?? 28);
  const product = skewed(random, PRODUCTS.length);
  const quantity = 1 + skewed(random, 60);
  const base = 400 + 550 * (product + 1);
  const discount = quantity > 25 ? 0.88 : 1;
  const cents = Math.round(base * discount * (0.8 + random() * 0.4) * (1 + month * 0.004));
  const customer = CUSTOMERS[skewed(random, CUSTOMERS.length)] ?? "AB";
  return [
    `${two(month + 1)}${two(day)}`,
    customer,
    PRODUCTS[product] ?? "A1",
    quantity,
    cents,
  ].join(",");
};

/** The whole file as a text. */
export const generateQuotes = (): string => {
  const random = createRandom(SEED);
  const rows = Array.from({ length: ROWS }, () => createRow(random));
  for (const wrong of WRONG) rows[below(random, ROWS)] = wrong;
  return `${[HEADER, ...rows].join("\n")}\n`;
};

if (import.meta.main) {
  const file = path.join(import.meta.dirname, "data", "quotes.csv");
  await writeFile(file, generateQuotes());
}
