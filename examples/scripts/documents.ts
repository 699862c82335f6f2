import type { Context } from "../../types/guest.d.ts";

type Answer = { readonly user: string; readonly documents: readonly { readonly title: string }[] };

/** Writes a document in the name of the user for whom the job acts, and lists what this user has. */
export default async function (input: { readonly title: string }, ctx: Context) {
  const written = await fetch("upstream://core/documents", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ title: input.title }),
  });
  if (!written.ok) throw new Error(`the documents answered ${written.status}`);
  const response = await fetch("upstream://core/documents");
  const { user, documents } = (await response.json()) as Answer;
  ctx.log(`${documents.length} documents of ${user}`);
  return { titles: documents.map(({ title }) => title) };
}
