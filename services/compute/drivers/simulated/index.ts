/** The simulated drivers: guests, cards and images without a machine under them. */
export { createSimulatedHypervisor, type SimulatedHypervisor, type SimulatedOptions } from './hypervisor.ts'
export { createSimulatedImageCache, type SimulatedImageCache } from './image-cache.ts'
export { createSimulatedVifDriver, type SimulatedVifOptions } from './vif.ts'
