/** What the command asks of a cloud. Nothing else of the command knows services, hypervisors or networks. */
export type { Cloud, Login } from '@strata/clouds'

/** The composition, or what stands in for it in tests. */
export type CloudModule = typeof import('@strata/clouds')

/** Loads the composition, only in the commands that need it: it brings every service with it. */
export const loadCloud = (): Promise<CloudModule> => import('@strata/clouds')
