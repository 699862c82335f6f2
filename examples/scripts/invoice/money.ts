/** Amounts in cents. Nothing but a library for other scripts: it has no default export. */
export type Line = { readonly text: string; readonly cents: number };

export const totalOf = (lines: readonly Line[]): number =>
  lines.reduce((sum, line) => sum + line.cents, 0);

export const inEuro = (cents: number): string =>
  new Intl.NumberFormat("en", { style: "currency", currency: "EUR" }).format(cents / 100);
