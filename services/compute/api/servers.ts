/** Servers: the plain verbs. */
import type { Operation } from '@strata/toolkit/service'
import type { Compute } from '../logic/compute.ts'

export function serverOperations(_compute: Compute): readonly Operation[] {
  return []
}
