export { asCallerOf } from './caller.ts'
export { imageFacts } from './images.ts'
export { networksOf } from './networks.ts'
export { placementOf } from './placement.ts'
