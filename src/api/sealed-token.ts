import { createHmac, timingSafeEqual } from "node:crypto";

import type { z } from "zod";

import type { OrganizationId } from "../jobs/ids.ts";
import { invalidField } from "./convert/faults.ts";

/**
 * Page and resume tokens: opaque, signed, good for one organization and one purpose. They hold
 * positions, so a forged one would be worth little; the signature keeps their shape ours to change.
 */
export type Seal = {
  seal(purpose: Purpose, organizationId: OrganizationId, content: object): string;
  /** @throws JobFault INVALID_ARGUMENT at `field` for whatever was not sealed here for this purpose */
  open<Content>(
    purpose: Purpose,
    organizationId: OrganizationId,
    token: { readonly field: string; readonly text: string },
    schema: z.ZodType<Content>,
  ): Content;
};

export type Purpose = "page" | "watch-job" | "watch-jobs";

const MAC_BYTES = 16;

export const createSeal = (key: string): Seal => {
  const mac = (purpose: Purpose, organizationId: OrganizationId, body: string): Buffer =>
    createHmac("sha256", key)
      .update(`${purpose}\0${organizationId}\0${body}`)
      .digest()
      .subarray(0, MAC_BYTES);

  return {
    seal: (purpose, organizationId, content) => {
      const body = Buffer.from(JSON.stringify(content)).toString("base64url");
      return `${body}.${mac(purpose, organizationId, body).toString("base64url")}`;
    },
    open: (purpose, organizationId, { field, text }, schema) => {
      const [body = "", signature = ""] = text.split(".", 2);
      const given = Buffer.from(signature, "base64url");
      const due = mac(purpose, organizationId, body);
      if (given.length === due.length && timingSafeEqual(given, due)) {
        const parsed = schema.safeParse(JSON.parse(Buffer.from(body, "base64url").toString()));
        if (parsed.success) return parsed.data;
      }
      throw invalidField(field, "is not a token that this service gave out for this call.");
    },
  };
};
