/** Puts a token into a set: it takes the id of one that an earlier step has made. */
export default async function (input: { readonly set: string; readonly token_id: string }) {
  const put = await fetch(`upstream://core/sets/${input.set}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token_id: input.token_id }),
  });
  if (!put.ok) throw new Error(`the set ${input.set} answered ${put.status}`);
  return (await put.json()) as { readonly set: string; readonly tokens: readonly string[] };
}
