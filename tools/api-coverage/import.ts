/**
 * Makes the catalog from notes: `node tools/api-coverage/import.ts FOLDER` reads a `PROJECT.json` for each OpenStack project, a
 * list of operations with whatever else was noted of them, and keeps the facts that the comparison needs.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CatalogOperation, CatalogService } from './catalog.ts'

/** Official service types (the first word of a service's path) by project. */
const TYPES: Readonly<Record<string, string>> = {
  adjutant: 'admin-logic',
  aodh: 'alarm',
  barbican: 'key-manager',
  blazar: 'reservation',
  cinder: 'block-storage',
  cloudkitty: 'rating',
  cyborg: 'accelerator',
  designate: 'dns',
  'ec2-api': 'ec2-api',
  freezer: 'backup',
  glance: 'image',
  gnocchi: 'metric',
  heat: 'orchestration',
  ironic: 'baremetal',
  'ironic-inspector': 'baremetal-introspection',
  keystone: 'identity',
  magnum: 'container-infrastructure-management',
  manila: 'shared-file-system',
  masakari: 'instance-ha',
  mistral: 'workflow',
  murano: 'application-catalog',
  neutron: 'network',
  nova: 'compute',
  octavia: 'load-balancer',
  placement: 'placement',
  sahara: 'data-processing',
  senlin: 'clustering',
  solum: 'application-deployment',
  swift: 'object-store',
  tacker: 'nfv-orchestration',
  trove: 'database',
  vitrage: 'root-cause-analysis',
  watcher: 'resource-optimization',
  zaqar: 'message',
  zun: 'application-container',
}

interface Note {
  readonly method: string
  readonly path: string
  readonly action?: string
  readonly min_microversion?: string
  readonly max_microversion?: string
  readonly status?: CatalogOperation['status']
  /** Another description of an operation that stands before it. */
  readonly variant_of_previous?: boolean
}

/** Notes name some paths from the host on, others from the service's root or its version on. */
function below(project: string, path: string): string {
  if (project === 'nova' && /^\/(\{api_version\}|versions)(\/|$)/.test(path))
    return path.replace('{api_version}', 'v2.1')
  if (project === 'nova' && path !== '/' && !/^\/v2(\.\d)?\b/.test(path)) return `/v2.1${path}`
  return project === 'keystone' ? path.replace(/^\/identity\//, '/') : path
}

export function catalogOf(project: string, notes: readonly Note[]): CatalogService {
  const operations = notes
    .filter(note => !note.variant_of_previous)
    .map(note => ({
      method: note.method,
      path: below(project, note.path),
      ...(note.action !== undefined && { action: note.action }),
      ...(note.min_microversion !== undefined && { since: note.min_microversion }),
      ...(note.max_microversion !== undefined && { until: note.max_microversion }),
      ...(note.status !== undefined && { status: note.status }),
    }))
  return { service: TYPES[project]!, project, operations }
}

if (import.meta.main) {
  const [from] = process.argv.slice(2)
  if (!from) throw new Error('say which folder has the notes')
  const to = join(import.meta.dirname, 'catalog')
  mkdirSync(to, { recursive: true })
  for (const [project, type] of Object.entries(TYPES)) {
    const { operations, ...head } = catalogOf(project, JSON.parse(readFileSync(join(from, `${project}.json`), 'utf8')))
    const lines = operations.map(
      one =>
        `    ${JSON.stringify(one)
          .replace(/([{,:])"/g, '$1 "')
          .replace(/}$/, ' }')}`,
    )
    const top = Object.entries(head).map(([name, value]) => `  "${name}": "${value}",`)
    writeFileSync(
      join(to, `${type}.json`),
      `${['{', ...top, '  "operations": [', lines.join(',\n'), '  ]', '}'].join('\n')}\n`,
    )
  }
}
