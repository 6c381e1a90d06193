/**
 * The layer lint: `node tools/lint/layers.ts [root]` prints `file:line: message (reason)` for each breach of the plan
 * of the house and exits 1 if there was one. What is allowed is in `tables.ts`; this file only looks things up there.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, resolve } from 'node:path'
import { type Facts, parse } from './parse.ts'
import { unrehearsed } from './rehearsals.ts'
import {
  CLOCK_FREE,
  FREE_FOLDERS,
  IO_BUILTINS,
  MAX_LINES,
  OTHER_FILES,
  PACKAGES,
  ROOMS,
  ROOT_ENTRIES,
  SKIPPED,
  TEST_FILES,
  TOOLKIT_TIERS,
} from './tables.ts'

export interface Breach {
  readonly file: string
  readonly line: number
  readonly message: string
  readonly reason: string
}

/** Where a file lives. `room` is a service's room, or a toolkit module's name. */
interface Place {
  readonly kind: string
  /** Folder of the package: `toolkit`, `services/compute`. */
  readonly root: string
  readonly room: string
  /** What `apart` rooms are split by: the driver's folder. */
  readonly part: string
  readonly test: boolean
}

const REASONS = {
  place: 'a reader must know at once where a thing lives; a new kind of folder is a decision: tools/lint/tables.ts',
  layer: 'each layer knows only those below it: design in CONTRIBUTING.md, table in tools/lint/tables.ts',
  tier: 'the toolkit is a pile, not a knot: a module may be read knowing only the ones below it',
  service: 'services meet only over their APIs, so that one works alone, in one process and in a cluster',
  compose: 'only a composition or a test decides which services make a cloud',
  leave: "a package is used through its package.json's exports, never by a path into it",
  cycle: 'two files that need each other are one thing in two places',
  pure: 'declarations and rules do no I/O, so that tools can read and tests can run them anywhere',
  apart: 'a driver must be removable without touching another',
  testing: 'test helpers must not be needed by a running cloud',
  clock: 'time, ids and randomness come from the injected runtime, so that a test can hold them in its hand',
  rehearsal:
    'a saga is safe against crashes only as far as it was rehearsed: import it in a *.rehearsal.test.ts and play it',
  shell: 'untrusted text must never meet a shell: use execFile or spawn with an array of arguments',
  size: 'a file that long hides several things: cut it by noun or by verb',
  syntax: 'a file that cannot be read cannot be judged',
} as const

const tierOf = (module: string) => TOOLKIT_TIERS.findIndex(tier => tier.includes(module))

/** The place of a file by its path from the root, or undefined when the plan has no place for it. */
export function placeOf(file: string): Place | undefined {
  const parts = file.split('/')
  const kind = parts[0]!
  if (!(kind in PACKAGES)) return
  const depth = kind === 'services' ? 2 : 1
  const inside = parts.slice(depth)
  if (inside.length === 0) return
  const name = inside.at(-1)!
  const test = TEST_FILES.test(name)
  const place = { kind, root: parts.slice(0, depth).join('/'), room: '', part: '', test }
  if (FREE_FOLDERS.some(folder => folder.test(file))) return place
  if (!/\.ts$/.test(name) && !OTHER_FILES.test(name)) return
  const plain = test || !/\.ts$/.test(name)
  if (kind === 'services') return serviceRoom(place, inside, plain)
  if (kind !== 'toolkit') return place
  if (inside.length === 1) return plain ? place : undefined
  return tierOf(inside[0]!) < 0 ? undefined : { ...place, room: inside[0]! }
}

function serviceRoom(place: Place, inside: readonly string[], plain: boolean): Place | undefined {
  const [first, second] = inside as [string, string?]
  if (inside.length === 1) {
    if (first === 'service.ts') return { ...place, room: 'service' }
    return plain ? { ...place, room: 'service' } : undefined
  }
  if (!(first in ROOMS) || first === 'service' || first === 'rules' || first === 'ports') return
  if (first === 'logic' && second === 'rules') return { ...place, room: 'rules' }
  if (first === 'logic' && /^ports(\.ts)?$/.test(second!)) return { ...place, room: 'ports' }
  return { ...place, room: first, part: inside.length > 2 ? second! : '' }
}

/** File that an import of this house means (`toolkit/fault/index.ts`); undefined for builtins and npm packages. */
function targetOf(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.normalize(posix.join(posix.dirname(from), specifier))
  const own = /^@strata\/([^/]+)(?:\/(.+))?$/.exec(specifier)
  if (!own) return
  const [, name, path] = own as unknown as [string, string, string?]
  if (name === 'toolkit') return `toolkit/${path}/index.ts`
  if (name in PACKAGES) return `${name}/${path ?? 'index'}.ts`
  if (path === 'service') return `services/${name}/service.ts`
  return `services/${name}/${path === 'ports' ? 'logic/ports' : path}/index.ts`
}

type Verdict = readonly [message: string, reason: keyof typeof REASONS] | undefined

function judgeImport(from: string, here: Place, specifier: string): Verdict {
  const room = here.kind === 'services' && !here.test ? ROOMS[here.room] : undefined
  if (room?.pure && IO_BUILTINS.has(specifier)) return [`${here.room} imports ${specifier}`, 'pure']
  const target = targetOf(from, specifier)
  if (target === undefined) return
  const there = placeOf(target)
  const relative = specifier.startsWith('.')
  if (relative && !`${target}`.startsWith(`${here.root}/`)) return [`${specifier} leaves ${here.root}`, 'leave']
  if (!there) return [`${specifier} is nothing that the plan knows`, 'place']
  if (there.root !== here.root) return judgeAcross(here, there, specifier)
  if (here.test) return
  if (there.test) return [`${specifier} outside tests`, 'testing']
  if (here.kind === 'toolkit' && tierOf(there.room) > tierOf(here.room)) {
    return [`${here.room} imports ${there.room}, of a higher tier`, 'tier']
  }
  if (room && there.room !== here.room && !room.rooms.includes(there.room)) {
    return [`${here.room} imports ${there.room}`, 'layer']
  }
  if (room?.apart && there.room === here.room && there.part !== here.part) {
    return [`driver ${here.part || 'index'} imports ${there.part || 'a shared file of drivers'}`, 'apart']
  }
  return
}

function judgeAcross(here: Place, there: Place, specifier: string): Verdict {
  const what = there.kind === 'services' ? there.room : there.kind
  const known = PACKAGES[here.kind]!
  if (there.kind === 'services' && !known.includes(what) && what !== 'contract' && what !== 'service') {
    return [`${specifier}: of another service only the contract may be imported`, 'service']
  }
  if (!known.includes(what)) {
    return [
      `${here.kind} imports ${specifier}`,
      what === 'service' ? 'compose' : what === 'contract' ? 'service' : 'layer',
    ]
  }
  if (there.kind !== 'toolkit') return
  const helper = here.test || here.kind === 'tests' || here.kind === 'tools'
  if (there.room === 'testing' && !helper) return [`${specifier} outside tests`, 'testing']
  const toolkit = here.kind === 'services' && !here.test ? ROOMS[here.room]!.toolkit : 'all'
  if (toolkit !== 'all' && !toolkit.includes(there.room)) return [`${here.room} imports ${specifier}`, 'layer']
  return
}

/** Every import cycle once, as the files along it. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = []
  const done = new Set<string>()
  const path: string[] = []
  const walk = (file: string): void => {
    const at = path.indexOf(file)
    if (at >= 0) found.push([...path.slice(at), file])
    if (at >= 0 || done.has(file)) return
    path.push(file)
    for (const next of graph.get(file) ?? []) walk(next)
    path.pop()
    done.add(file)
  }
  for (const file of graph.keys()) walk(file)
  return found
}

function listFiles(root: string, folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = posix.join(folder, entry.name)
    if (SKIPPED.has(entry.name) || entry.name.endsWith('.log')) return []
    if (folder === '' && ROOT_ENTRIES.has(entry.name)) return []
    return entry.isDirectory() ? listFiles(root, path) : [path]
  })
}

/** Long files that were there before the rule: `{ "path": lines }`. The list may only shrink. */
function readOversize(root: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(join(root, 'tools/lint/oversize.json'), 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

function judgeSize(lines: number, allowed: number | undefined): string | undefined {
  if (allowed === undefined) return lines > MAX_LINES ? `${lines} lines, more than ${MAX_LINES}` : undefined
  if (lines <= MAX_LINES) return `${lines} lines: take it off tools/lint/oversize.json`
  if (lines > allowed) return `${lines} lines, more than the ${allowed} it had`
  return lines < allowed ? `${lines} lines: write this into tools/lint/oversize.json, which says ${allowed}` : undefined
}

/** All breaches under `root`, by file and line. */
export function lint(root: string): Breach[] {
  const breaches: Breach[] = []
  const say = (file: string, line: number, message: string, reason: keyof typeof REASONS) =>
    breaches.push({ file, line, message, reason: REASONS[reason] })
  const graph = new Map<string, string[]>()
  const read = new Map<string, Facts>()
  const oversize = readOversize(root)
  const files = listFiles(root).filter(file => file !== 'tools/lint/oversize.json')

  for (const file of files) {
    const here = placeOf(file)
    if (!here) say(file, 1, 'unknown file or folder', 'place')
    if (!here || !file.endsWith('.ts')) continue
    const text = readFileSync(join(root, file), 'utf8')
    const facts = parse(file, text)
    read.set(file, facts)
    for (const { specifier, line } of facts.imports) {
      const verdict = judgeImport(file, here, specifier)
      if (verdict) say(file, line, ...verdict)
    }
    for (const { kind, what, line } of facts.finds) {
      if (kind !== 'clock' || !(here.test || CLOCK_FREE.test(file))) say(file, line, what, kind)
    }
    const size = judgeSize(text.split('\n').length - 1, oversize[file])
    if (size) say(file, 1, size, 'size')
    graph.set(
      file,
      facts.imports.flatMap(one => targetOf(file, one.specifier) ?? []),
    )
  }
  for (const file of Object.keys(oversize)) {
    if (!graph.has(file)) say(file, 1, 'is gone: take it off tools/lint/oversize.json', 'size')
  }
  for (const { file, line, name } of unrehearsed(read)) say(file, line, `saga ${name} has no rehearsal`, 'rehearsal')
  for (const cycle of cycles(graph)) say(cycle[0]!, 1, `import cycle: ${cycle.join(' → ')}`, 'cycle')
  return breaches.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
}

if (import.meta.main) {
  const root = resolve(process.argv[2] ?? join(dirname(import.meta.filename), '../..'))
  const breaches = lint(root)
  for (const { file, line, message, reason } of breaches) console.log(`${file}:${line}: ${message} (${reason})`)
  if (breaches.length > 0) process.exitCode = 1
}
