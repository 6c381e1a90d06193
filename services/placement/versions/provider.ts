/** Resource providers through the versions: what is linked (more each time), and their trees (since 1.14). */
import type { ResourceProvider } from '../contract/provider.ts'
import { since } from './history.ts'

const parts: readonly (readonly [since: number, rel: string])[] = [
  [0, 'self'],
  [0, 'inventories'],
  [0, 'usages'],
  [since.aggregates, 'aggregates'],
  [since.traits, 'traits'],
  [since.allocationsLink, 'allocations'],
]

/** `href` is the provider's own path. */
export const linksOf = (href: string, minor: number): ResourceProvider['links'] =>
  parts.filter(([from]) => from <= minor).map(([, rel]) => ({ rel, href: rel === 'self' ? href : `${href}/${rel}` }))

/** What a version shows of a provider. */
export function downProvider(provider: ResourceProvider, minor: number): object {
  if (minor >= since.nestedProviders) return provider
  const { parent_provider_uuid, root_provider_uuid, ...flat } = provider
  return flat
}
