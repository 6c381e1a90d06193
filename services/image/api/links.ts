/** Links of a page of a list: paths below the service's root, as clients expect them of this API. */

type Query = Readonly<Record<string, string | string[] | undefined>>

export function pageLinks(
  path: string,
  query: Query,
  nextMarker: string | undefined,
): { first: string; next?: string } {
  const first = link(path, query, {})
  return nextMarker === undefined ? { first } : { first, next: link(path, query, { marker: nextMarker }) }
}

function link(path: string, query: Query, extra: Readonly<Record<string, string>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (name !== 'marker')
      for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) search.append(name, one)
  for (const [name, value] of Object.entries(extra)) search.append(name, value)
  const text = search.toString()
  return text === '' ? path : `${path}?${text}`
}
