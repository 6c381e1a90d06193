/** Ids of segments (tunnels, VLANs) out of ranges. Pure. */

/** The lowest id of the ranges that is not in `taken`; undefined when none is left. */
export function lowestFree(
  ranges: readonly (readonly [first: number, last: number])[],
  taken: readonly number[],
): number | undefined {
  const used = new Set(taken)
  for (const [first, last] of ranges) for (let id = first; id <= last; id++) if (!used.has(id)) return id
  return undefined
}
