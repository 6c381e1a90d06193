/**
 * The failures of this service, with the types and the words of the Networking API that clients look for. Each function makes
 * one; `type` in the body is the code given here.
 */
import { badRequest, conflict, Fault, forbidden, notFound, unavailable } from '@strata/toolkit/fault'

export const invalidInput = (problem: string): Fault =>
  badRequest(`Invalid input for operation: ${problem}.`, 'InvalidInput')
export const badResource = (resource: string, problem: string): Fault =>
  badRequest(`Bad ${resource} request: ${problem}.`, 'BadRequest')
/** A member of the body that its schema let pass and the rules don't. */
export const invalidField = (field: string, problem: string): Fault =>
  badRequest(`Invalid input for ${field}. Reason: ${problem}.`, 'HTTPBadRequest')
export const notAuthorized = (rule: string): Fault =>
  forbidden(`Policy doesn't allow ${rule} to be performed.`, 'PolicyNotAuthorized')

export const networkNotFound = (id: string) => notFound(`Network ${id} could not be found.`, 'NetworkNotFound')
export const subnetNotFound = (id: string) => notFound(`Subnet ${id} could not be found.`, 'SubnetNotFound')
export const portNotFound = (id: string) => notFound(`Port ${id} could not be found.`, 'PortNotFound')
export const routerNotFound = (id: string) => notFound(`Router ${id} could not be found`, 'RouterNotFound')
export const floatingIpNotFound = (id: string) => notFound(`Floating IP ${id} could not be found`, 'FloatingIPNotFound')
export const securityGroupNotFound = (id: string) =>
  notFound(`Security group ${id} does not exist`, 'SecurityGroupNotFound')
export const securityGroupRuleNotFound = (id: string) =>
  notFound(`Security group rule ${id} does not exist`, 'SecurityGroupRuleNotFound')
export const revisionMismatch = (wanted: number, current: number): Fault =>
  new Fault({
    status: 412,
    code: 'RevisionNumberConstraintFailed',
    message: `Constrained to ${wanted}, but current revision is ${current}`,
  })
export const agentNotFound = (id: string) => notFound(`Agent ${id} could not be found.`, 'AgentNotFound')
export const extensionNotFound = (alias: string) =>
  notFound(`Extension with alias ${alias} does not exist`, 'HTTPNotFound')
export const availabilityZoneNotFound = (name: string) =>
  notFound(`AvailabilityZone ${name} could not be found.`, 'AvailabilityZoneNotFound')
export const tagNotFound = (tag: string) => notFound(`Tag ${tag} could not be found.`, 'TagNotFound')
export const quotaResourceUnknown = (names: readonly string[]) =>
  notFound(`Unknown quota resources ${list(names)}.`, 'QuotaResourceUnknown')

const list = (names: readonly string[]): string => `[${names.map(name => `'${name}'`).join(', ')}]`

export const overQuota = (resources: readonly string[]) =>
  conflict(`Quota exceeded for resources: ${list(resources)}.`, 'OverQuota')

export const networkInUse = (id: string, ports: readonly string[]) =>
  conflict(
    `Unable to complete operation on network ${id}. There are one or more ports still in use on the network, id for these ports is: ${ports.join(',')}.`,
    'NetworkInUse',
  )
export const flatNetworkInUse = (physical: string) =>
  conflict(`Unable to create the flat network. Physical network ${physical} is in use.`, 'FlatNetworkInUse')
export const vlanIdInUse = (id: number, physical: string) =>
  conflict(`Unable to create the network. The VLAN ${id} on physical network ${physical} is in use.`, 'VlanIdInUse')
export const tunnelIdInUse = (id: number) =>
  conflict(`Unable to create the network. The tunnel ID ${id} is in use.`, 'TunnelIdInUse')
export const noNetworkAvailable = () =>
  unavailable('Unable to create the network. No tenant network is available for allocation.', 'NoNetworkAvailable')
export const externalNetworkInUse = (id: string) =>
  conflict(
    `External network ${id} cannot be updated to be made non-external, since it has existing gateway ports.`,
    'ExternalNetworkInUse',
  )
export const invalidSharedSetting = (name: string) =>
  conflict(
    `Unable to reconfigure sharing settings for network ${name}. Multiple tenants are using it.`,
    'InvalidSharedSetting',
  )

export const subnetInUse = (id: string, why = 'One or more ports have an IP allocation from this subnet') =>
  conflict(`Unable to complete operation on subnet ${id}: ${why}.`, 'SubnetInUse')
export const gatewayConflict = (address: string, pool: string) =>
  conflict(`Gateway ip ${address} conflicts with allocation pool ${pool}.`, 'GatewayConflictWithAllocationPools')
export const gatewayInUse = (address: string, portId: string) =>
  conflict(`Current gateway ip ${address} already in use by port ${portId}. Unable to update.`, 'GatewayIpInUse')
export const invalidPool = (pool: string) =>
  badRequest(`The allocation pool ${pool} is not valid.`, 'InvalidAllocationPool')
export const poolOutOfBounds = (pool: string, cidr: string) =>
  badRequest(`The allocation pool ${pool} spans beyond the subnet cidr ${cidr}.`, 'OutOfBoundsAllocationPool')
export const overlappingPools = (one: string, two: string, cidr: string) =>
  conflict(`Found overlapping allocation pools: ${one} ${two} for subnet ${cidr}.`, 'OverlappingAllocationPools')

export const addressInUse = (networkId: string, address: string) =>
  conflict(
    `Unable to complete operation for network ${networkId}. The IP address ${address} is in use.`,
    'IpAddressInUse',
  )
export const macInUse = (networkId: string, mac: string) =>
  conflict(
    `Unable to complete operation for network ${networkId}. The mac address ${mac} is in use.`,
    'MacAddressInUse',
  )
export const addressesExhausted = (networkId: string) =>
  conflict(`No more IP addresses available on network ${networkId}.`, 'IpAddressGenerationFailure')
export const invalidAddressForNetwork = (address: string) =>
  badRequest(
    `IP address ${address} is not a valid IP for any of the subnets on the specified network.`,
    'InvalidIpForNetwork',
  )
export const invalidAddressForSubnet = (address: string) =>
  badRequest(`IP address ${address} is not a valid IP for the specified subnet.`, 'InvalidIpForSubnet')
export const autoAddressSubnet = (address: string, subnetId: string) =>
  badRequest(
    `IPv6 address ${address} cannot be directly assigned to a port on subnet ${subnetId} as the subnet is configured for automatic addresses`,
    'AllocationOnAutoAddressSubnet',
  )
export const noServiceSubnet = (networkId: string, owner: string) =>
  conflict(
    `No valid service subnet for the given device owner, network ${networkId}, service type ${owner}.`,
    'IpAddressGenerationFailureNoMatchingSubnet',
  )
export const servicePortInUse = (id: string, why: string) =>
  conflict(`Port ${id} cannot be deleted directly via the port API: ${why}.`, 'ServicePortInUse')
export const portInUse = (id: string, networkId: string, device: string) =>
  conflict(
    `Unable to complete operation on port ${id} for network ${networkId}. Port already has an attached device ${device}.`,
    'PortInUse',
  )
export const portBound = (id: string, type: string, before: string, after: string) =>
  conflict(
    `Unable to complete operation on port ${id}, port is already bound, port type: ${type}, old_mac ${before}, new_mac ${after}.`,
    'PortBound',
  )
export const deviceNotOwned = (device: string) =>
  conflict(
    `The following device_id ${device} is not owned by your tenant or matches another tenants router.`,
    'DeviceIDNotOwnedByTenant',
  )
export const portSecurityHasGroups = () =>
  conflict(
    'Port has security group associated. Cannot disable port security or IP address until security group is removed.',
    'PortSecurityPortHasSecurityGroup',
  )
export const portSecurityNeeded = () =>
  badRequest(
    'Port security must be enabled and port must have an IP address in order to use security groups.',
    'PortSecurityAndIPRequiredForSecurityGroups',
  )
export const portSecurityNeededForPairs = () =>
  conflict(
    'Port Security must be enabled in order to have allowed address pairs on a port.',
    'AddressPairAndPortSecurityRequired',
  )
export const duplicateAddressPair = (mac: string, address: string) =>
  badRequest(
    `Request contains duplicate address pair: mac_address ${mac} ip_address ${address}.`,
    'DuplicateAddressPairInRequest',
  )

export const routerInUse = (id: string, why: string) => conflict(`Router ${id} ${why}`, 'RouterInUse')
export const routerInterfaceNotFound = (router: string, portId: string) =>
  notFound(`Router ${router} does not have an interface with id ${portId}`, 'RouterInterfaceNotFound')
export const routerInterfaceNotFoundForSubnet = (router: string, subnetId: string) =>
  notFound(`Router ${router} has no interface on subnet ${subnetId}`, 'RouterInterfaceNotFoundForSubnet')
export const interfaceInUseByFloatingIp = (router: string, subnetId: string) =>
  conflict(
    `Router interface for subnet ${subnetId} on router ${router} cannot be deleted, as it is required by one or more floating IPs.`,
    'RouterInterfaceInUseByFloatingIP',
  )
export const interfaceInUseByRoute = (router: string, subnetId: string) =>
  conflict(
    `Router interface for subnet ${subnetId} on router ${router} cannot be deleted, as it is required by one or more routes.`,
    'RouterInterfaceInUseByRoute',
  )
export const gatewayInUseByFloatingIp = (router: string, networkId: string) =>
  conflict(
    `Gateway cannot be updated for router ${router}, since a gateway to external network ${networkId} is required by one or more floating IPs.`,
    'RouterExternalGatewayInUseByFloatingIp',
  )
export const subnetMismatch = (portId: string, subnetId: string) =>
  badRequest(`Subnet on port ${portId} does not match the requested subnet ${subnetId}.`, 'SubnetMismatchForPort')
export const invalidRoutes = (routes: unknown, why: string) =>
  badRequest(`Invalid format for routes: ${JSON.stringify(routes)}, ${why}`, 'InvalidRoutes')

export const externalNetworkUnreachable = (network: string, subnetId: string, portId: string) =>
  notFound(
    `External network ${network} is not reachable from subnet ${subnetId}.  Therefore, cannot associate Port ${portId} with a Floating IP.`,
    'ExternalGatewayForFloatingIPNotFound',
  )
export const floatingIpPortTaken = (taken: {
  address: string
  id: string
  portId: string
  fixedIp: string
  networkId: string
}) =>
  conflict(
    `Cannot associate floating IP ${taken.address} (${taken.id}) with port ${taken.portId} using fixed IP ${taken.fixedIp}, as that fixed IP already has a floating IP on external network ${taken.networkId}.`,
    'FloatingIPPortAlreadyAssociated',
  )
export const externalAddressesExhausted = (network: string) =>
  badRequest(`Unable to find any IP address on external network ${network}.`, 'ExternalIpAddressExhausted')

export const rbacPolicyNotFound = (id: string) =>
  notFound(`RBAC policy of type network with ID ${id} not found`, 'RbacPolicyNotFound')
export const duplicateRbacPolicy = () =>
  conflict('An RBAC policy already exists with those values.', 'DuplicateRbacPolicy')
export const rbacPolicyInUse = (objectId: string, details: string) =>
  conflict(
    `RBAC policy on object ${objectId} cannot be removed because other objects depend on it.\nDetails: ${details}`,
    'RbacPolicyInUse',
  )

export const securityGroupInUse = (id: string, why = 'in use') =>
  conflict(`Security Group ${id} ${why}.`, 'SecurityGroupInUse')
export const cannotRemoveDefaultGroup = () =>
  conflict('Insufficient rights for removing default security group.', 'SecurityGroupCannotRemoveDefault')
export const cannotUpdateDefaultGroup = () =>
  conflict('Updating default security group not allowed.', 'SecurityGroupCannotUpdateDefault')
export const defaultGroupExists = () =>
  conflict('Default security group already exists.', 'SecurityGroupDefaultAlreadyExists')
export const ruleExists = (id: string) =>
  conflict(`Security group rule already exists. Rule id is ${id}.`, 'SecurityGroupRuleExists')
export const invalidRule = (type: string, message: string) => badRequest(message, type)
