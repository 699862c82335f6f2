/** Named facts below each other, without those that are empty. */
export const factsText = (facts: readonly (readonly [name: string, value: string])[]): string => {
  const told = facts.filter(([, value]) => value !== "");
  const width = Math.max(...told.map(([name]) => name.length)) + 2;
  return told.map(([name, value]) => `${name.padEnd(width)}${value}`).join("\n");
};
