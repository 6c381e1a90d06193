/** The extensions of the Networking API that this service has: those alone whose members act. */
export interface Extension {
  readonly alias: string
  readonly name: string
  readonly description: string
  readonly updated: string
  readonly links: readonly object[]
}

const extension = (alias: string, name: string, description: string, updated: string): Extension => ({
  alias,
  name,
  description,
  updated: `${updated}:00-00:00`,
  links: [],
})

export const extensions: readonly Extension[] = [
  extension('agent', 'agent', 'The agents of the data plane.', '2013-02-03T10:00'),
  extension('allowed-address-pairs', 'Allowed Address Pairs', 'Further addresses of a port.', '2013-07-23T10:00'),
  extension('availability_zone', 'Availability Zone', 'Zones of networks and routers.', '2015-01-01T10:00'),
  extension('binding', 'Port Binding', 'On which host a port is, and how it is plugged.', '2014-02-03T10:00'),
  extension('ext-gw-mode', 'Neutron L3 Configurable external gateway mode', 'SNAT on and off.', '2013-03-28T10:00'),
  extension('external-net', 'Neutron external network', 'Networks that lead outside.', '2013-01-14T10:00'),
  extension('extra_dhcp_opt', 'Neutron Extra DHCP options', 'DHCP options of a port.', '2013-03-17T12:00'),
  extension('extraroute', 'Neutron Extra Route', 'Static routes of routers.', '2013-02-01T10:00'),
  extension('extraroute-atomic', 'Atomically add/remove extra routes', 'Routes one by one.', '2019-07-10T00:00'),
  extension('filter-validation', 'Filter parameters validation', 'Unknown filters are refused.', '2018-07-04T10:00'),
  extension('fip-port-details', 'Floating IP Port Details Extension', 'The port of a floating IP.', '2018-04-09T10:00'),
  extension(
    'ip-substring-filtering',
    'IP address substring filtering',
    'Ports by a part of an address.',
    '2017-11-28T09:00',
  ),
  extension('net-mtu', 'Network MTU', 'The MTU of a network.', '2015-03-25T10:00'),
  extension('net-mtu-writable', 'Network MTU (writable)', 'The MTU may be chosen.', '2017-07-12T00:00'),
  extension('network_availability_zone', 'Network Availability Zone', 'Zones of networks.', '2015-01-01T10:00'),
  extension('pagination', 'Pagination support', 'Lists in pages.', '2016-06-12T00:00'),
  extension(
    'port-mac-address-regenerate',
    'Neutron Port MAC address regenerate',
    'A new MAC for null.',
    '2018-05-03T10:00',
  ),
  extension('port-security', 'Port Security', 'Ports without filters.', '2012-07-23T10:00'),
  extension(
    'port-security-groups-filtering',
    'Port filtering on security groups',
    'Ports of a group.',
    '2018-01-09T09:00',
  ),
  extension('project-id', 'project_id field enabled', 'project_id beside tenant_id.', '2016-09-09T09:09'),
  extension('provider', 'Provider Network', 'What a network is made of below.', '2012-09-07T10:00'),
  extension('quotas', 'Quota management support', 'Limits of projects.', '2012-07-29T10:00'),
  extension('quota_details', 'Quota details management support', 'Limits and what is used.', '2017-02-10T10:00'),
  extension('network-ip-availability', 'Network IP Availability', 'Addresses in use.', '2015-09-24T00:00'),
  extension('rbac-policies', 'RBAC Policies', 'Networks shared with single projects.', '2015-06-17T12:15'),
  extension('router', 'Neutron L3 Router', 'Routers and floating IPs.', '2012-07-20T10:00'),
  extension('router_availability_zone', 'Router Availability Zone', 'Zones of routers.', '2015-01-01T10:00'),
  extension('security-group', 'security-group', 'Rules of traffic.', '2012-10-05T10:00'),
  extension(
    'security-groups-normalized-cidr',
    'Normalized CIDR field for security group rules',
    'Prefixes in canonical form.',
    '2020-07-28T10:00',
  ),
  extension('sorting', 'Sorting support', 'Lists in an order of choice.', '2016-06-12T00:00'),
  extension('standard-attr-description', 'standard-attr-description', 'Descriptions.', '2016-02-10T10:00'),
  extension('standard-attr-revisions', 'Resource revision numbers', 'Counts of changes.', '2016-04-11T10:00'),
  extension('standard-attr-tag', 'Tag support for resources with standard attribute', 'Tags.', '2017-01-01T00:00'),
  extension('standard-attr-timestamp', 'Resource timestamps', 'Times of making and changing.', '2016-09-12T10:00'),
  extension('stateful-security-group', 'Stateful security group', 'Groups without memory.', '2019-11-26T09:00'),
  extension(
    'subnet-external-network',
    'Subnet belongs to an external network',
    'router:external of subnets.',
    '2024-02-05T18:00',
  ),
  extension('subnet-service-types', 'Subnet service types', 'Subnets for some devices only.', '2016-03-15T18:00'),
]
