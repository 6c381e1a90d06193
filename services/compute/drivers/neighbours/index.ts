export { asCallerOf } from './caller.ts'
export { imageFactsOf } from './images.ts'
export { networksOf } from './networks.ts'
export { placementOf } from './placement.ts'
