/**
 * The tables of the layer lint: which folders exist, and which may import which. Edit these, not the rules.
 *
 * Words: a *package* is a workspace (`toolkit`, `services/compute`, `cli`, …); a *room* is a folder inside a service
 * with one purpose (`contract`, `logic`, …); a *tier* is a level of the toolkit: a module imports its own tier or a
 * lower one, never a higher one.
 */

/** The toolkit's modules, lowest tier first. A new module takes the lowest tier that its imports allow. */
export const TOOLKIT_TIERS: readonly (readonly string[])[] = [
  ['runtime', 'eventual', 'fault', 'schema', 'log', 'config', 'metrics', 'process', 'ip'],
  ['context', 'dialect', 'microversion', 'tokens', 'policy', 'quota', 'store', 'messaging', 'http', 'ovsdb'],
  ['saga', 'reconciler'],
  ['service', 'resource', 'notifications'],
  ['testing', 'rehearsal'],
]

/** What a room of a service may import: rooms of the same service, and `toolkit:` modules (all, or those named). */
export interface RoomRule {
  readonly rooms: readonly string[]
  readonly toolkit: 'all' | readonly string[]
  /** A pure room does no I/O: it imports none of `IO_BUILTINS`. */
  readonly pure?: true
  /** Its subfolders are strangers to each other. */
  readonly apart?: true
}

const DECLARATIONS = [
  'schema',
  'resource',
  'fault',
  'dialect',
  'policy',
  'quota',
  'microversion',
  'ip',
  'config',
] as const

/** `rules` is `logic/rules/`, `ports` is `logic/ports.ts` (or `logic/ports/`); a room is looked up by its longest name. */
export const ROOMS: Readonly<Record<string, RoomRule>> = {
  contract: { rooms: [], toolkit: DECLARATIONS, pure: true },
  versions: { rooms: ['contract'], toolkit: DECLARATIONS, pure: true },
  rules: { rooms: ['contract'], toolkit: [...DECLARATIONS, 'runtime'], pure: true },
  ports: { rooms: ['contract'], toolkit: [...DECLARATIONS, 'runtime', 'context'], pure: true },
  store: { rooms: ['contract'], toolkit: 'all' },
  logic: { rooms: ['contract', 'store', 'rules', 'ports'], toolkit: 'all' },
  api: { rooms: ['contract', 'versions', 'logic', 'rules', 'ports'], toolkit: 'all' },
  drivers: { rooms: ['contract', 'ports'], toolkit: 'all', apart: true },
  agent: { rooms: ['contract', 'drivers', 'ports'], toolkit: 'all' },
  service: {
    rooms: ['contract', 'versions', 'store', 'logic', 'rules', 'ports', 'api', 'drivers', 'agent'],
    toolkit: 'all',
  },
}

/**
 * What a package may import of the others. `contract`, `service`, `agent`, `drivers` and `ports` are those of any service:
 * a composition decides which drivers and agents make a cloud, so it alone (and tests) may see them.
 */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  toolkit: [],
  sdk: ['toolkit', 'contract'],
  services: ['toolkit', 'sdk', 'contract'],
  clouds: ['toolkit', 'sdk', 'contract', 'service', 'agent', 'drivers', 'ports', 'tools'],
  cli: ['toolkit', 'sdk', 'contract', 'clouds', 'tools'],
  tests: ['toolkit', 'sdk', 'contract', 'service', 'agent', 'drivers', 'ports', 'clouds', 'cli', 'tools'],
  tools: ['toolkit', 'sdk', 'contract', 'service', 'drivers'],
  dashboard: ['sdk', 'contract'],
}

/** What may lie at the root beside the packages. */
export const ROOT_ENTRIES = new Set([
  ...['strata', 'package.json', 'package-lock.json', 'tsconfig.json', 'biome.json', 'knip.json', 'strata.yaml'],
  ...['LICENSE', 'NOTICE', 'README.md', 'README.zh-CN.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...['.editorconfig', '.gitignore', '.gitattributes', '.npmrc', '.ci', '.github', 'docs', 'openapi', 'deploy'],
])

/** Folders that are made, not written: never looked into. */
export const SKIPPED = new Set(['node_modules', '.git', '.strata', '.cache', 'coverage', 'dist'])

/**
 * Files that only tests import: tests themselves, their support (`test-host.ts`), and what all implementations of a port must
 * pass (`hypervisor-contract.ts`). They may import whatever they need; nothing that runs in a cloud may import them.
 */
export const TEST_FILES = /(^test-[\w-]+|-contract|\.test)\.ts$/

/** What a file inside a package may be called, beside TypeScript. */
export const OTHER_FILES = /^(README\.md|package\.json)$|\.golden\.(json|sql|txt|xml)$/

/** Folders of a package whose files are as their makers need them: data, pictures, web pages. */
export const FREE_FOLDERS = [
  /^dashboard\//,
  /^tools\/tiny-linux\/(rootfs|initrd)\//,
  /^tools\/api-coverage\/catalog\//,
  /^tests\/[^/]+\/data\//,
  /^tests\/conformance\/[\w-]+\.(txt|yaml)$/,
  // What is of the client's own language.
  /^tests\/scenarios\/[\w-]+\.py$/,
]

export const IO_BUILTINS = new Set(
  [
    'fs',
    'fs/promises',
    'net',
    'http',
    'http2',
    'https',
    'tls',
    'dgram',
    'child_process',
    'worker_threads',
    'sqlite',
  ].map(name => `node:${name}`),
)

/** Where time, ids and randomness may be read from the machine itself. Tests may everywhere. */
export const CLOCK_FREE = /^(toolkit\/runtime|toolkit\/testing|tests|tools|cli|dashboard)\/|^services\/[^/]+\/drivers\//

export const MAX_LINES = 500
