/** A cloud of real guests and networks: its start, its size with what runs beside it, and a build beside a bare QEMU. */
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { startTestCloud, whyNotReal } from '../scenarios/cloud.ts'
import { logIn } from '../scenarios/http.ts'
import { processesOf, tagOf } from '../scenarios/residue.ts'
import { bareServer } from './bare.ts'
import { percentile } from './load.ts'
import { commandOf, startByHand } from './qemu.ts'
import { atRest, type Rest } from './rest.ts'
import { createServer, prepareGround } from './servers.ts'
import { mebibytes, ms, percent, printTable, type Row } from './table.ts'

const ROUNDS = 5
const rows: Row[] = []
const why = whyNotReal()
if (why) console.log(`skipped: ${why}`)
else await bench()

async function bench(): Promise<void> {
  const cloud = await startTestCloud({ mode: 'real' })
  try {
    await measureStart(['down'], 'OVN running')
    await measureStart(['down', '--all'], 'OVN stopped')
    const guest = await measureBuild()
    await measureRest(guest)
  } finally {
    await cloud.purge()
  }
  printTable(rows)

  async function measureStart(down: readonly string[], how: string): Promise<void> {
    const times: number[] = []
    for (let n = 0; n < ROUNDS; n++) {
      await cloud.strata(...down)
      const start = performance.now()
      await cloud.up()
      times.push(performance.now() - start)
    }
    const bare = await bareServer({ headers: new Headers(), text: '{}' })
    await bare.stop()
    const what = `\`./strata up\` until all APIs answer, ${how}`
    rows.push({ what, strata: ms(percentile(times, 0.5)), bare: ms(bare.startedIn), aim: '≤ 2 s' })
  }

  /** Gives the pid of a guest that stays. */
  async function measureBuild(): Promise<number> {
    const admin = await logIn(cloud, 'strata')
    const ground = await prepareGround(admin)
    // The first build fetches the image.
    const { id } = await createServer(admin, ground, 'first')
    const guest = processesOf([id]).find(({ command }) => command.startsWith('qemu-system'))!.pid
    const images = join(cloud.state, 'compute', 'images')
    const image = join(images, readdirSync(images)[0]!)
    const times: { strata: number[]; bare: number[] } = { strata: [], bare: [] }
    for (let n = 0; n < ROUNDS; n++) {
      const made = await createServer(admin, ground, `build-${n}`)
      times.strata.push(made.milliseconds)
      await admin.call('DELETE', `/compute/v2.1/servers/${made.id}`)
      times.bare.push(await startByHand(commandOf(guest), image))
    }
    const [own, other] = [percentile(times.strata, 0.5), percentile(times.bare, 0.5)]
    const aim = 'bare + 1 s'
    rows.push({ what: 'server create until ACTIVE, QEMU, median', strata: ms(own), bare: ms(other), aim })
    return guest
  }

  async function measureRest(guest: number): Promise<void> {
    const pid = cloud.pid()!
    const daemons = processesOf([`/run/strata-${tagOf(cloud)}`]).filter(one => one.pid !== pid)
    const [strata, qemu, ...others] = await atRest([pid, guest, ...daemons.map(one => one.pid)], 10)
    const row = (what: string, rest: Rest | undefined, aim?: string) =>
      rows.push({
        what: `at rest: ${what}`,
        strata: `${mebibytes(rest!.bytes)}, ${percent(rest!.processor)}`,
        ...(aim && { aim }),
      })
    row('Strata', strata, '≤ 150 MB, ≤ 0.5 %')
    for (const [at, { command }] of daemons.entries()) row(nameOf(command), others[at])
    row('a guest of 64 MiB', qemu)
  }
}

/** `ovsdb-server nb.db`: the program, and which of its databases it serves. */
function nameOf(command: string): string {
  const [program = '', ...words] = command.split(' ')
  const database = words.find(word => word.endsWith('.db'))
  return [basename(program), ...(database ? [basename(database)] : [])].join(' ')
}
