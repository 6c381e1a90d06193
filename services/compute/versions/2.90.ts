/** The host name may be given, and is everybody's to see. */
import { type VersionChange, without } from './change.ts'

const none = without('hostname')

export const version90: VersionChange = {
  minor: 90,
  down: (_view, { extended }) => (extended ? {} : { 'OS-EXT-SRV-ATTR:hostname': undefined }),
  create: none,
  update: none,
  rebuild: none,
}
