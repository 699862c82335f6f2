import { z } from "zod";

import type { OrganizationId } from "../jobs/ids.ts";
import { LIMITS } from "../jobs/limits.ts";
import { type Faults, invalidField } from "./convert/faults.ts";
import { numberWithin } from "./convert/fields.ts";
import type { Seal } from "./sealed-token.ts";

/** Where a page ended, and of which list. */
const PAGE = z.object({ list: z.string(), after: z.string() });

const FIELD = "page_token";

/** Of a list that only operators see, over all organizations. */
export const EVERYWHERE = "" as OrganizationId;

/** One list: whose it is, and what tells it from every other that a page token could be of. */
export type Paged = {
  readonly seal: Seal;
  readonly organizationId: OrganizationId;
  /** The same list with another filter is another list. */
  readonly list: string;
};

/** The number of rows of a page; a fault where it is out of range. */
export const pageSizeOf = (faults: Faults, asked: number): number => {
  const { max, default: standard } = LIMITS.pageSize;
  const size = numberWithin(faults, "page_size", asked, { min: 0, max });
  return size === 0 ? standard : size;
};

/** The key of the last row of the page before; null begins. @throws JobFault INVALID_ARGUMENT */
export const openPage = ({ seal, organizationId, list }: Paged, text: string): string | null => {
  if (text === "") return null;
  const page = seal.open("page", organizationId, { field: FIELD, text }, PAGE);
  if (page.list === list) return page.after;
  throw invalidField(FIELD, "was given out for another list.");
};

/** A page of rows that were read one beyond `size`, and the token of the next; empty on the last. */
export const cutPage = <Row>(
  { seal, organizationId, list }: Paged,
  rows: readonly Row[],
  size: number,
  keyOf: (row: Row) => string,
): { readonly rows: readonly Row[]; readonly nextPageToken: string } => {
  const page = rows.slice(0, size);
  const last = page.at(-1);
  if (rows.length <= size || last === undefined) return { rows: page, nextPageToken: "" };
  const content = { list, after: keyOf(last) };
  return { rows: page, nextPageToken: seal.seal("page", organizationId, content) };
};
