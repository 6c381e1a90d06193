/** The catalog of one token, from the services and endpoints that there are. */
import type { CatalogEntry } from '../../contract/token.ts'

export interface CatalogSource {
  readonly services: readonly {
    readonly id: string
    readonly type: string
    readonly name: string
    readonly enabled: number
  }[]
  readonly endpoints: readonly {
    readonly id: string
    readonly service_id: string
    readonly interface: string
    readonly region_id: string | null
    readonly url: string
    readonly enabled: number
  }[]
}

/** Endpoints whose URL needs what the token has not (a project, say) are left out. */
export function catalogOf(source: CatalogSource, about: { userId: string; projectId?: string }): CatalogEntry[] {
  const values: Readonly<Record<string, string | undefined>> = {
    user_id: about.userId,
    project_id: about.projectId,
    tenant_id: about.projectId,
  }
  return source.services
    .filter(service => service.enabled)
    .map(service => ({
      id: service.id,
      type: service.type,
      name: service.name,
      endpoints: source.endpoints
        .filter(endpoint => endpoint.service_id === service.id && endpoint.enabled)
        .flatMap(endpoint => {
          const url = expandUrl(endpoint.url, values)
          if (url === undefined) return []
          return [
            {
              id: endpoint.id,
              interface: endpoint.interface,
              region: endpoint.region_id,
              region_id: endpoint.region_id,
              url,
            },
          ]
        }),
    }))
}

/** `$(name)s` and `%(name)s` replaced by their values; undefined when one has none. */
export function expandUrl(url: string, values: Readonly<Record<string, string | undefined>>): string | undefined {
  let complete = true
  const expanded = url.replace(/[$%]\((\w+)\)s/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    complete &&= value !== undefined
    return value ?? ''
  })
  return complete ? expanded : undefined
}
