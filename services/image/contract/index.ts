/** What others may know of the Image service. */
export { type ImageConfig, imageConfig } from './config.ts'
export { IMAGE_CHANGED, type ImageChanged } from './events.ts'
export type { ImageStatus, ImageView, Visibility } from './image.ts'
export type { ImageMember, MemberStatus } from './member.ts'
export { paths } from './paths.ts'
export { policies } from './policies.ts'
export type { ImageTask, TaskStatus } from './task.ts'
