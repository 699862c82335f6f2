/** Asks another layer for a token, in the name of the user for whom the job acts. */
export default async function (input: { readonly purpose: string }) {
  const made = await fetch("upstream://core/tokens", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(input),
  });
  if (!made.ok) throw new Error(`the tokens answered ${made.status}`);
  return (await made.json()) as { readonly id: string; readonly purpose: string };
}
