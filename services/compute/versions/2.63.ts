/** Certificates that an image's signature is checked against. */
import { type VersionChange, without } from './change.ts'

const none = without('trusted_image_certificates')

export const version63: VersionChange = {
  minor: 63,
  brings: ['trusted_image_certificates'],
  create: none,
  rebuild: none,
}
