/**
 * Hands the cloud's logins to OpenStack clients: `clouds.yaml` and `openrc` in the state folder, and the same entries
 * merged into the operator's own clouds.yaml, whose other entries and comments stay as they are.
 */
import { mkdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Document, isMap, parseDocument, stringify } from 'yaml'
import type { Cloud, Login } from './cloud.ts'
import { writeWhole } from './state.ts'

type Logins = Pick<Cloud, 'url' | 'region' | 'admin' | 'demo'>

/** An entry of clouds.yaml, in the words of openstacksdk. */
interface Entry {
  readonly auth: Readonly<Record<string, string>>
  readonly region_name: string
  readonly identity_api_version: number
}

function entry(cloud: Logins, login: Login): Entry {
  return {
    auth: {
      auth_url: `${cloud.url}/identity/v3`,
      username: login.username,
      password: login.password,
      project_name: login.project,
      user_domain_name: login.domain,
      project_domain_name: login.domain,
    },
    region_name: cloud.region,
    identity_api_version: 3,
  }
}

export function cloudEntries(cloud: Logins): Readonly<Record<string, Entry>> {
  return { strata: entry(cloud, cloud.admin), 'strata-demo': entry(cloud, cloud.demo) }
}

/** A word for a POSIX shell, whatever is in it. */
const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`

/** The admin's login as shell variables, for `. openrc`. */
export function openrc(cloud: Logins): string {
  const { auth, region_name } = entry(cloud, cloud.admin)
  const variables = { ...auth, region_name, identity_api_version: '3' }
  return Object.entries(variables)
    .map(([name, value]) => `export OS_${name.toUpperCase()}=${quote(value)}\n`)
    .join('')
}

/** Where openstacksdk looks first in a home folder. */
export const userCloudsFile = (home: string) => join(home, '.config', 'openstack', 'clouds.yaml')

/** Writes all three files. Returns a sentence when the operator's own file was left alone, and why. */
export function writeCredentials(options: {
  cloud: Logins
  cloudsFile: string
  openrcFile: string
  userFile: string
}): string | undefined {
  const entries = cloudEntries(options.cloud)
  writeWhole(options.cloudsFile, stringify({ clouds: entries }))
  writeWhole(options.openrcFile, openrc(options.cloud))
  return editClouds(options.userFile, document => {
    for (const [name, value] of Object.entries(entries)) document.setIn(['clouds', name], document.createNode(value))
  })
}

/**
 * Takes from the operator's file the entries that are the state folder's own: an entry of the same name with another
 * password is another cloud's. A file left with no clouds is removed if it says nothing else.
 */
export function removeCredentials(options: { cloudsFile: string; userFile: string }): string | undefined {
  const ours = readDocument(options.cloudsFile)
  const theirs = readDocument(options.userFile)
  if (!ours || !theirs) return
  const password = (document: Document, name: string) => document.getIn(['clouds', name, 'auth', 'password'])
  return editClouds(options.userFile, document => {
    for (const name of ['strata', 'strata-demo']) {
      const mine = password(ours, name)
      if (mine !== undefined && mine === password(document, name)) document.deleteIn(['clouds', name])
    }
  })
}

function readDocument(file: string): Document | undefined {
  try {
    return parseDocument(readFileSync(file, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
}

function editClouds(file: string, edit: (document: Document) => void): string | undefined {
  const document = readDocument(file)
  if (!document) {
    const created = parseDocument('clouds: {}\n')
    ;(created.get('clouds') as { flow?: boolean }).flow = false
    edit(created)
    if (!isEmpty(created)) {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      writeWhole(file, created.toString())
    }
    return
  }
  if (document.errors.length > 0) return `${file} was left alone: it is not YAML (${firstLine(document.errors[0]!)})`
  if (document.contents !== null && !isMap(document.contents)) return `${file} was left alone: it is not a mapping`
  const clouds = document.get('clouds')
  if (clouds !== undefined && clouds !== null && !isMap(clouds)) {
    return `${file} was left alone: its "clouds" is not a mapping`
  }
  if (!isMap(clouds)) document.set('clouds', document.createNode({}))
  const before = document.toString()
  edit(document)
  if (document.toString() === before) return
  if (isEmpty(document)) rmSync(file)
  // A link is followed, so that what it points at is changed and the link stays.
  else writeWhole(realpathSync(file), document.toString(), statSync(file).mode & 0o777)
  return
}

const firstLine = (error: Error) => error.message.split('\n')[0]

/** Nothing but an empty `clouds`, and no comment. */
function isEmpty(document: Document): boolean {
  return /^clouds:\s*(\{\s*\})?\s*$/.test(document.toString())
}
