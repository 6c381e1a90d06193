/**
 * What a cloud, or one server of it, has on this machine: processes, interfaces, namespaces, tables, mounts, folders.
 * Looked for by the marks that all of these bear: the state folder, the *tag* of the cloud's run folder, and ids.
 */
import { existsSync, globSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { run, type TestCloud } from './cloud.ts'

/** Processes with one of these texts on their command line or in the path of the folder they work in. */
export function processesOf(marks: readonly string[]): { readonly pid: number; readonly command: string }[] {
  return readdirSync('/proc').flatMap(entry => {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) return []
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ')
      const known = `${command} ${readlinkSync(`/proc/${entry}/cwd`)}`
      return marks.some(mark => known.includes(mark)) ? [{ pid: Number(entry), command }] : []
    } catch {
      return []
    }
  })
}

/** The eight letters that the cloud's run folder, bridges and tables end in: as its daemons were told them. */
export function tagOf(cloud: TestCloud): string {
  const daemon = processesOf([`${cloud.state}/ovn/nb.db`]).find(({ command }) => command.includes('/run/strata-'))
  const tag = /\/run\/strata-([0-9a-f]+)\//.exec(daemon?.command ?? '')?.[1]
  if (tag === undefined) throw new Error('the cloud has no northbound database')
  return tag
}

const output = async (cloud: TestCloud, program: string, ...words: string[]) =>
  (await run({ program, words, env: cloud.env })).stdout

const linkNames = () => readdirSync('/sys/class/net')

/** The tap of a port, by Neutron's rule. */
const tapOf = (portId: string) => `tap${portId.slice(0, 11)}`

/** Everything on the machine that is one server's. */
export function serverResidue(cloud: TestCloud, server: { readonly id: string; readonly portIds: readonly string[] }) {
  const taps = server.portIds.map(tapOf)
  return [
    ...processesOf([server.id])
      .filter(({ command }) => command.includes('qemu'))
      .map(({ pid }) => `process ${pid}`),
    ...linkNames().filter(name => taps.includes(name)),
    ...globSync(`${cloud.state}/**/*${server.id}*`),
    ...globSync(`/sys/fs/cgroup/**/${server.id}`),
  ]
}

/** Names of OVN's logical switch ports: ids of ports, and what the driver adds of its own. */
export async function ovnPorts(cloud: TestCloud, tag: string): Promise<string[]> {
  const names = await output(
    cloud,
    '/usr/bin/ovn-nbctl',
    ...[`--db=unix:/run/strata-${tag}/nb.sock`, '--bare', '--columns=name', 'list', 'Logical_Switch_Port'],
  )
  return names.split(/\s+/).filter(name => name !== '')
}

/** Everything on the machine that is the cloud's, each line with its kind first. */
export async function cloudResidue(
  cloud: TestCloud,
  known: { readonly tag: string; readonly networkIds: readonly string[]; readonly portIds: readonly string[] },
): Promise<string[]> {
  const { tag, networkIds, portIds } = known
  const taps = portIds.map(tapOf)
  const runFolder = `/run/strata-${tag}`
  const namespaces = await output(cloud, '/usr/sbin/ip', 'netns', 'list')
  const tables = await output(cloud, '/usr/sbin/nft', 'list', 'tables')
  const addresses = Object.values(networkInterfaces()).flatMap(list => list ?? [])
  return [
    ...processesOf([cloud.state, runFolder]).map(({ command }) => `process ${command}`),
    ...linkNames()
      .filter(name => name.includes(tag) || taps.includes(name))
      .map(name => `link ${name}`),
    ...addresses.filter(({ address }) => address === cloud.outside).map(({ address }) => `address ${address}`),
    ...networkIds.filter(id => namespaces.includes(id)).map(id => `namespace of ${id}`),
    ...(tables.includes(tag) ? [`table ${tag}`] : []),
    ...readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .filter(line => line.includes(cloud.state) || line.includes(tag))
      .map(line => `mount ${line}`),
    ...[runFolder, cloud.state].filter(folder => existsSync(folder)).map(folder => `folder ${folder}`),
  ]
}
