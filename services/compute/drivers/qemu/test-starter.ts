/**
 * For tests: a process that opens the driver, spawns the guest whose spec is on its command line (with a
 * config drive), says `spawned`, and stays
 * until it is killed. `node test-starter.ts <folder> <spec as JSON>`
 */
import { silentLog } from '@strata/toolkit/log'
import type { GuestSpec } from '../../logic/ports/hosts.ts'
import { createQemuHypervisor } from './hypervisor.ts'

const [folder, text] = process.argv.slice(2)
const hypervisor = createQemuHypervisor({ folder: folder!, log: silentLog, acceleration: 'tcg' })
await hypervisor.open()
process.stdout.write('opened\n')
const configDrive = { 'openstack/latest/meta_data.json': Buffer.from('{}') }
await hypervisor.spawn({ ...(JSON.parse(text!) as GuestSpec), configDrive })
process.stdout.write('spawned\n')
setInterval(() => {}, 60_000)
