/** Names with what is to be said of each, empty for nothing. Without a name it goes on with the one before. */
export type Facts = readonly (readonly [name: string, value: string])[];

/** Named facts below each other, without those that are empty; of several lines those too. */
export const factsText = (facts: Facts): string => {
  const told = facts.filter(([, value]) => value !== "");
  const width = Math.max(...told.map(([name]) => name.length)) + 2;
  const below = `\n${" ".repeat(width)}`;
  return told
    .map(([name, value]) => `${name.padEnd(width)}${value.replaceAll("\n", below)}`)
    .join("\n");
};
