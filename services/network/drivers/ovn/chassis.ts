/** The settings by which `ovn-controller` makes a machine a chassis: external ids of the Open_vSwitch row. Pure. */

export interface ChassisSettings {
  readonly chassis: string
  readonly southbound: string
  readonly encapIp: string
  readonly integrationBridge: string
  readonly datapathType: string
  /** `physical network:bridge`, or undefined when the machine carries no external network. */
  readonly bridgeMapping: string | undefined
}

/** All settings of a chassis that is ours; null takes away what an earlier configuration set. */
export function ownChassis(settings: ChassisSettings): Record<string, string | null> {
  const { chassis, southbound, encapIp, integrationBridge, datapathType, bridgeMapping } = settings
  return {
    'system-id': chassis,
    hostname: chassis,
    'ovn-remote': southbound,
    'ovn-encap-type': 'geneve',
    'ovn-encap-ip': encapIp,
    'ovn-bridge': integrationBridge,
    'ovn-bridge-datapath-type': datapathType,
    'ovn-bridge-mappings': bridgeMapping ?? null,
    'ovn-cms-options': bridgeMapping === undefined ? null : 'enable-chassis-as-gw',
  }
}

/** Only what is missing from the settings that the machine's operator made, who keeps the last word. */
export function completedChassis(
  held: Readonly<Record<string, string>>,
  settings: ChassisSettings,
): Record<string, string | null> {
  const missing = Object.entries(ownChassis(settings)).filter(([key, value]) => value !== null && !(key in held))
  const joined = (key: string, element: string): Record<string, string> => {
    const elements = (held[key] ?? '').split(',').filter(part => part !== '')
    return elements.includes(element) ? {} : { [key]: [...elements, element].join(',') }
  }
  const { bridgeMapping } = settings
  if (bridgeMapping === undefined) return Object.fromEntries(missing)
  return {
    ...Object.fromEntries(missing),
    ...joined('ovn-bridge-mappings', bridgeMapping),
    ...joined('ovn-cms-options', 'enable-chassis-as-gw'),
  }
}

/** Takes our mapping from an operator's settings. */
export function withoutMapping(held: Readonly<Record<string, string>>, mapping: string): Record<string, string | null> {
  const left = (held['ovn-bridge-mappings'] ?? '').split(',').filter(part => part !== '' && part !== mapping)
  return { 'ovn-bridge-mappings': left.length === 0 ? null : left.join(',') }
}
