/**
 * The plan: which rows should stand in OVN's northbound database for a snapshot. Pure, so that it can be read, compared
 * and tested without a database; `../README.md` draws what stands for what.
 */

import type { NetworkSnapshot } from '../../../logic/ports.ts'
import { planSecurityGroups } from './acls.ts'
import { planDhcp } from './dhcp.ts'
import { planRouters } from './routers.ts'
import { createView, type PlannedRow, type PlanOptions } from './rows.ts'
import { planSwitches } from './switches.ts'

export { type GatewayCandidate, MARK, type PlannedRow, type PlanOptions } from './rows.ts'

export function plan(snapshot: NetworkSnapshot, options: PlanOptions): PlannedRow[] {
  const view = createView(snapshot, options)
  return [...planDhcp(view), ...planSwitches(view), ...planRouters(view), ...planSecurityGroups(view)]
}
