/** Every operation of compute. */
import type { Operation } from '@strata/toolkit/service'
import type { Compute } from '../logic/compute.ts'
import { flavorOperations } from './flavors.ts'
import { keypairOperations } from './keypairs.ts'
import { serverOperations } from './servers.ts'

export function computeOperations(compute: Compute): readonly Operation[] {
  return [...serverOperations(compute), ...flavorOperations(compute), ...keypairOperations(compute)]
}
