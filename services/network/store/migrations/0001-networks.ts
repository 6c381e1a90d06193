/** The first tables. Columns have the names of the API's fields, colons included. */
import type { Kysely, Migration } from '@strata/toolkit/store'

type TableBuilder = ReturnType<Kysely<unknown>['schema']['createTable']>
type Column = 'id' | 'name' | 'text' | 'integer' | 'json' | 'time'

const types = {
  id: 'varchar(36)',
  name: 'varchar(255)',
  text: 'varchar(1024)',
  integer: 'integer',
  json: 'text',
  time: 'varchar(32)',
} as const

const standard: Readonly<Record<string, Column>> = {
  description: 'text',
  created_at: 'time',
  updated_at: 'time',
  revision_number: 'integer',
}

const tables: Readonly<Record<string, Readonly<Record<string, Column>>>> = {
  networks: {
    name: 'name',
    project_id: 'name',
    admin_state_up: 'integer',
    status: 'name',
    shared: 'integer',
    'router:external': 'integer',
    is_default: 'integer',
    mtu: 'integer',
    port_security_enabled: 'integer',
    'provider:network_type': 'name',
    'provider:physical_network': 'name',
    'provider:segmentation_id': 'integer',
    availability_zone_hints: 'json',
    ...standard,
  },
  subnets: {
    name: 'name',
    project_id: 'name',
    network_id: 'id',
    ip_version: 'integer',
    cidr: 'name',
    gateway_ip: 'name',
    allocation_pools: 'json',
    enable_dhcp: 'integer',
    dns_nameservers: 'json',
    host_routes: 'json',
    ipv6_ra_mode: 'name',
    ipv6_address_mode: 'name',
    subnetpool_id: 'id',
    service_types: 'json',
    ...standard,
  },
  ports: {
    name: 'name',
    project_id: 'name',
    network_id: 'id',
    mac_address: 'name',
    admin_state_up: 'integer',
    status: 'name',
    device_id: 'name',
    device_owner: 'name',
    port_security_enabled: 'integer',
    allowed_address_pairs: 'json',
    extra_dhcp_opts: 'json',
    'binding:host_id': 'name',
    'binding:vnic_type': 'name',
    'binding:profile': 'json',
    ...standard,
  },
  routers: {
    name: 'name',
    project_id: 'name',
    admin_state_up: 'integer',
    status: 'name',
    routes: 'json',
    availability_zone_hints: 'json',
    ...standard,
  },
  floatingips: {
    project_id: 'name',
    floating_network_id: 'id',
    floating_ip_address: 'name',
    port_id: 'id',
    fixed_ip_address: 'name',
    router_id: 'id',
    status: 'name',
    ...standard,
  },
  rbac_policies: {
    project_id: 'name',
    object_type: 'name',
    object_id: 'id',
    action: 'name',
    target_tenant: 'name',
  },
  security_groups: { name: 'name', project_id: 'name', stateful: 'integer', ...standard },
  security_group_rules: {
    project_id: 'name',
    security_group_id: 'id',
    direction: 'name',
    ethertype: 'name',
    protocol: 'json',
    port_range_min: 'integer',
    port_range_max: 'integer',
    remote_group_id: 'id',
    remote_ip_prefix: 'name',
    ...standard,
  },
}

const indexes: readonly (readonly [table: string, ...columns: string[]])[] = [
  ['networks', 'project_id'],
  ['subnets', 'network_id'],
  ['subnets', 'project_id'],
  ['ports', 'network_id'],
  ['ports', 'project_id'],
  ['ports', 'device_id'],
  ['ip_allocations', 'port_id'],
  ['ip_allocations', 'subnet_id'],
  ['port_security_groups', 'security_group_id'],
  ['routers', 'project_id'],
  ['floatingips', 'project_id'],
  ['floatingips', 'port_id'],
  ['floatingips', 'router_id'],
  ['security_groups', 'project_id'],
  ['security_group_rules', 'security_group_id'],
  ['security_group_rules', 'remote_group_id'],
  ['security_group_rules', 'project_id'],
  ['rbac_policies', 'target_tenant'],
  ['tags', 'tag'],
]

/** A table whose key is made of several columns. */
function joint(db: Kysely<unknown>, name: string, columns: Readonly<Record<string, Column>>, key: readonly string[]) {
  const start: TableBuilder = db.schema.createTable(name)
  const table = Object.entries(columns).reduce(
    (built, [column, type]) => built.addColumn(column, types[type], c => c.notNull()) as unknown as TableBuilder,
    start,
  )
  return table.addPrimaryKeyConstraint(`${name}_key`, key as string[] as never).execute()
}

export const first: Migration = {
  name: '0001-networks',
  async up(db) {
    for (const [name, columns] of Object.entries(tables)) {
      const start = db.schema.createTable(name).addColumn('id', types.id, c => c.primaryKey())
      const table = Object.entries(columns).reduce(
        (built, [column, type]) => built.addColumn(column, types[type]) as unknown as TableBuilder,
        start as unknown as TableBuilder,
      )
      await table.execute()
    }
    await db.schema
      .createTable('network_segments')
      .addColumn('network_id', types.id, c => c.primaryKey())
      .addColumn('segment', types.name, c => c.notNull().unique())
      .addColumn('network_type', types.name, c => c.notNull())
      .addColumn('segmentation_id', types.integer, c => c.notNull())
      .execute()
    await joint(
      db,
      'ip_allocations',
      { port_id: 'id', subnet_id: 'id', network_id: 'id', ip_address: 'name', position: 'integer' },
      ['network_id', 'ip_address'],
    )
    await joint(db, 'port_security_groups', { port_id: 'id', security_group_id: 'id' }, [
      'port_id',
      'security_group_id',
    ])
    await joint(db, 'router_gateways', { router_id: 'id', port_id: 'id', network_id: 'id', enable_snat: 'integer' }, [
      'router_id',
    ])
    await joint(db, 'default_security_groups', { project_id: 'name', security_group_id: 'id' }, ['project_id'])
    await joint(db, 'quotas', { project_id: 'name', resource: 'name', quota_limit: 'integer' }, [
      'project_id',
      'resource',
    ])
    await joint(db, 'tags', { resource_id: 'id', tag: 'name' }, ['resource_id', 'tag'])
    await joint(db, 'agent_notes', { agent_id: 'name', admin_state_up: 'integer', description: 'text' }, ['agent_id'])
    for (const [table, ...columns] of indexes)
      await db.schema
        .createIndex(`${table}_${columns.join('_')}`)
        .on(table)
        .columns(columns)
        .execute()
    await db.schema
      .createIndex('ports_mac_address')
      .on('ports')
      .columns(['network_id', 'mac_address'])
      .unique()
      .execute()
    await db.schema
      .createIndex('rbac_policies_target')
      .on('rbac_policies')
      .columns(['object_id', 'action', 'target_tenant'])
      .unique()
      .execute()
    await db.schema
      .createIndex('floatingips_address')
      .on('floatingips')
      .columns(['floating_network_id', 'floating_ip_address'])
      .unique()
      .execute()
  },
}
