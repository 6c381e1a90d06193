/**
 * The users and groups of this machine as its name services know them (files, LDAP, SSSD, …): `getent`, whose lines are those
 * of passwd(5) and group(5).
 */
import { execFile } from 'node:child_process'

export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly comment: string
}

export interface AccountGroup {
  readonly name: string
  readonly gid: number
  readonly members: readonly string[]
}

/** Exit code of getent for a name that is not known. */
const notFound = 2

function getent(database: 'passwd' | 'group', key?: string): Promise<string[][]> {
  return new Promise((resolve, reject) => {
    const words = [database, ...(key === undefined ? [] : ['--', key])]
    execFile(
      'getent',
      words,
      { timeout: 10_000, maxBuffer: 64 * 1024 * 1024, env: { PATH: '/usr/bin:/bin' } },
      (error, stdout) => {
        if (error && error.code !== notFound) reject(error)
        else resolve(stdout.split('\n').flatMap(line => (line === '' ? [] : [line.split(':')])))
      },
    )
  })
}

/** Numbers would be looked up as ids. */
const plainName = (name: string) => /^[\p{L}\p{N}_][\p{L}\p{N}_.@$\\-]{0,254}$/u.test(name) && !/^\d+$/.test(name)

const accountOf = ([name, , uid, gid, comment]: readonly string[]): Account[] =>
  name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid), comment: comment?.split(',')[0] ?? '' }] : []
const groupOf = ([name, , gid, members]: readonly string[]): AccountGroup[] =>
  name && gid ? [{ name, gid: Number(gid), members: members?.split(',').filter(one => one !== '') ?? [] }] : []

export const allAccounts = async (): Promise<Account[]> => (await getent('passwd')).flatMap(accountOf)
export const allGroups = async (): Promise<AccountGroup[]> => (await getent('group')).flatMap(groupOf)

export async function findAccount(name: string): Promise<Account | undefined> {
  if (!plainName(name)) return undefined
  return (await getent('passwd', name)).flatMap(accountOf).find(one => one.name === name)
}

export async function findAccountGroup(name: string): Promise<AccountGroup | undefined> {
  if (!plainName(name)) return undefined
  return (await getent('group', name)).flatMap(groupOf).find(one => one.name === name)
}
