/** Trees of providers as parent pointers. */

interface Node {
  readonly uuid: string
  readonly parent_uuid: string | null
}

/** The provider and all below it, as UUIDs, the top first. `tree` holds at least all of that. */
export function subtree(tree: readonly Node[], top: string): readonly string[] {
  const children = new Map<string, string[]>()
  for (const { uuid, parent_uuid } of tree)
    if (parent_uuid !== null) children.set(parent_uuid, [...(children.get(parent_uuid) ?? []), uuid])
  const found = [top]
  for (const uuid of found) found.push(...(children.get(uuid) ?? []))
  return found
}
