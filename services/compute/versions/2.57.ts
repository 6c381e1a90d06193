/** Files are no longer injected; a rebuild may change the user data. */
import { personality } from '../contract/server-requests.ts'
import { having, type VersionChange, without } from './change.ts'

export const version57: VersionChange = {
  minor: 57,
  create: having('personality', personality),
  rebuild: schema => having('personality', personality)(without('user_data')(schema)),
}
