/** The tables of the network service, and the repositories of its resources. */
import { repository } from '@strata/toolkit/resource'
import type { Table } from '@strata/toolkit/schema'
import type { Kysely, Transaction } from '@strata/toolkit/store'
import { floatingip } from '../contract/floatingip.ts'
import { network } from '../contract/network.ts'
import { port } from '../contract/port.ts'
import { rbacPolicy } from '../contract/rbac-policy.ts'
import { router } from '../contract/router.ts'
import { securityGroup, securityGroupRule } from '../contract/security-group.ts'
import { subnet } from '../contract/subnet.ts'

export interface NetworkTables {
  networks: Table<typeof network.fields>
  subnets: Table<typeof subnet.fields>
  ports: Table<typeof port.fields>
  routers: Table<typeof router.fields>
  floatingips: Table<typeof floatingip.fields>
  security_groups: Table<typeof securityGroup.fields>
  security_group_rules: Table<typeof securityGroupRule.fields>
  /** What a network occupies below: `geneve:17`, `vlan:physnet1:100`, `flat:public`; unique. */
  network_segments: { network_id: string; segment: string; network_type: string; segmentation_id: number }
  /** The fixed IPs of ports; `position` keeps their order. An address is unique on its network. */
  ip_allocations: { port_id: string; subnet_id: string; network_id: string; ip_address: string; position: number }
  port_security_groups: { port_id: string; security_group_id: string }
  router_gateways: { router_id: string; port_id: string; network_id: string; enable_snat: number }
  /** Which group is a project's default one. */
  default_security_groups: { project_id: string; security_group_id: string }
  quotas: { project_id: string; resource: string; quota_limit: number }
  tags: { resource_id: string; tag: string }
  rbac_policies: Table<typeof rbacPolicy.fields>
  /** What operators said of agents, which the data plane itself tells of. */
  agent_notes: { agent_id: string; admin_state_up: number; description: string }
}

export type NetworkDb = Kysely<NetworkTables>
export type NetworkTransaction = Transaction<NetworkTables>

export const networks = repository(network)
export const subnets = repository(subnet)
export const ports = repository(port)
export const rbacPolicies = repository(rbacPolicy)
export const routers = repository(router)
export const floatingips = repository(floatingip)
export const securityGroups = repository(securityGroup)
export const securityGroupRules = repository(securityGroupRule)
