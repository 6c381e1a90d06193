/** Every operation of compute. */
import type { Operation } from '@strata/toolkit/service'
import type { Compute } from '../logic/compute.ts'
import { flavorOperations } from './flavors.ts'
import { keypairOperations } from './keypairs.ts'
import { serverActionOperations } from './server-actions.ts'
import { serverDetailOperations } from './server-details.ts'
import { serverHistoryOperations } from './server-history.ts'
import { serverInterfaceOperations } from './server-interfaces.ts'
import { serverMetadataOperations } from './server-metadata.ts'
import { serverTagOperations } from './server-tags.ts'
import { serverOperations } from './servers.ts'

export function computeOperations(compute: Compute): readonly Operation[] {
  return [
    ...serverOperations(compute),
    ...serverActionOperations(compute),
    ...serverMetadataOperations(compute),
    ...serverTagOperations(compute),
    ...serverInterfaceOperations(compute),
    ...serverHistoryOperations(compute),
    ...serverDetailOperations(compute),
    ...flavorOperations(compute),
    ...keypairOperations(compute),
  ]
}
