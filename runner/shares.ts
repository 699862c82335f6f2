/**
 * How many of `slots` each server may fill. Half of them are dealt evenly, so that a server with
 * new work always finds some; the other half goes where attempts are held now. Each gets one at
 * least: with more servers than slots a few attempts too many may come, and wait for a child.
 */
export const shareOf = (slots: number, held: ReadonlyMap<string, number>, url: string): number => {
  const servers = held.size;
  if (slots === 0 || servers === 0) return 0;
  if (servers === 1) return slots;
  const total = [...held.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return Math.max(1, Math.floor(slots / servers));
  const even = slots / 2 / servers;
  const used = (slots / 2) * ((held.get(url) ?? 0) / total);
  return Math.max(1, Math.floor(even + used));
};
