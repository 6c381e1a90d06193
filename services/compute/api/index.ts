/** Every operation of compute. */
import type { Operation } from '@strata/toolkit/service'
import type { Compute } from '../logic/compute.ts'
import { aggregateOperations } from './aggregates.ts'
import { availabilityZoneOperations } from './availability-zones.ts'
import { flavorOperations } from './flavors.ts'
import { hostOperations } from './hosts.ts'
import { hypervisorOperations } from './hypervisors.ts'
import { keypairOperations } from './keypairs.ts'
import { migrationOperations } from './migrations.ts'
import { proxiedFloatingIpOperations } from './proxied-floating-ips.ts'
import { proxiedImageOperations } from './proxied-images.ts'
import { quotaOperations } from './quotas.ts'
import { securityGroupOperations } from './security-groups.ts'
import { serverActionOperations } from './server-actions.ts'
import { serverDetailOperations } from './server-details.ts'
import { serverGroupOperations } from './server-groups.ts'
import { serverHistoryOperations } from './server-history.ts'
import { serverInterfaceOperations } from './server-interfaces.ts'
import { serverMetadataOperations } from './server-metadata.ts'
import { serverTagOperations } from './server-tags.ts'
import { serverOperations } from './servers.ts'
import { serviceOperations } from './services.ts'
import { usageOperations } from './usage.ts'
import { beforeMicroversions, extensionOperations, versionOperations } from './versions.ts'

export function computeOperations(compute: Compute): readonly Operation[] {
  const operations = [
    ...serverOperations(compute),
    ...serverActionOperations(compute),
    ...serverMetadataOperations(compute),
    ...serverTagOperations(compute),
    ...serverInterfaceOperations(compute),
    ...serverHistoryOperations(compute),
    ...serverDetailOperations(compute),
    ...securityGroupOperations(compute),
    ...flavorOperations(compute),
    ...keypairOperations(compute),
    ...quotaOperations(compute),
    ...serverGroupOperations(compute),
    ...serviceOperations(compute),
    ...hypervisorOperations(compute),
    ...hostOperations(compute),
    ...aggregateOperations(compute),
    ...availabilityZoneOperations(compute),
    ...usageOperations(compute),
    ...migrationOperations(),
    ...proxiedImageOperations(compute),
    ...proxiedFloatingIpOperations(compute),
    ...extensionOperations(),
  ]
  return [...versionOperations(), ...operations, ...beforeMicroversions(operations)]
}
