/**
 * Users and groups of this machine, who log in as PAM lets them. They are known by their names, and only read. Accounts of the
 * system itself, below `minimum_uid`, are not seen.
 */
import { directoryAway, directoryReadOnly } from '../../contract/errors.ts'
import {
  chooser,
  type DirectoryDriver,
  type DirectoryGroup,
  type DirectoryQuery,
  type DirectoryUser,
} from '../../logic/ports/directory.ts'
import { type Account, type AccountGroup, allAccounts, allGroups, findAccount, findAccountGroup } from './accounts.ts'
import { askSaslauthd } from './saslauthd.ts'

export const pamDriver =
  (options: { readonly socket: string; readonly service: string; readonly minimum_uid: number }): DirectoryDriver =>
  (_, { domainId }) => {
    const { socket, service, minimum_uid: minimum } = options
    // 65534 and what follows are nobody.
    const seen = (id: number) => id >= minimum && id < 65_534
    const orAway = async <T>(work: Promise<T>): Promise<T> =>
      work.catch(thrown => {
        throw directoryAway(domainId, thrown)
      })
    const user = async (name: string) => {
      const found = await orAway(findAccount(name))
      return found && seen(found.uid) ? found : undefined
    }
    const group = async (name: string) => {
      const found = await orAway(findAccountGroup(name))
      return found && seen(found.gid) ? found : undefined
    }
    const groups = async () => (await orAway(allGroups())).filter(one => seen(one.gid))
    const users = async () => (await orAway(allAccounts())).filter(one => seen(one.uid))
    const readOnly = (what: string) => async () => {
      throw directoryReadOnly(what)
    }
    return {
      async authenticate(who, password) {
        const name = 'id' in who ? who.id : who.name
        const found = await user(name)
        // PAM is asked about strangers, too, so that they wait as long; never about accounts that are not seen.
        const right =
          password !== '' && (await orAway(askSaslauthd({ socket, service, name: found?.name ?? ' nobody', password })))
        return found && right ? shownUser(found) : undefined
      },
      findUser: async id => shown(await user(id), shownUser),
      findGroup: async id => shown(await group(id), shownGroup),
      listUsers: async query => chosen((await users()).map(shownUser), query),
      listGroups: async query => chosen((await groups()).map(shownGroup), query),
      async groupsOf(id) {
        const found = await user(id)
        return found ? (await groups()).filter(one => isMember(found, one)).map(shownGroup) : []
      },
      async membersOf(id) {
        const found = await group(id)
        return found ? (await users()).filter(one => isMember(one, found)).map(shownUser) : []
      },
      createUser: readOnly('have users created'),
      updateUser: readOnly('have users changed'),
      deleteUser: readOnly('have users deleted'),
      createGroup: readOnly('have groups created'),
      updateGroup: readOnly('have groups changed'),
      deleteGroup: readOnly('have groups deleted'),
      addMember: readOnly('have groups changed'),
      removeMember: readOnly('have groups changed'),
      close: async () => {},
    }
  }

const isMember = (user: Account, group: AccountGroup): boolean =>
  user.gid === group.gid || group.members.includes(user.name)

const shownUser = ({ name, comment }: Account): DirectoryUser => ({
  id: name,
  name,
  enabled: true,
  extra: comment === '' ? {} : { description: comment },
})
const shownGroup = ({ name }: AccountGroup): DirectoryGroup => ({ id: name, name, extra: {} })

const shown = <A, B>(found: A | undefined, show: (found: A) => B): B | undefined => found && show(found)

function chosen<E extends { readonly id: string; readonly name: string }>(
  entries: readonly E[],
  query: DirectoryQuery,
): E[] {
  const one = chooser<E>(query)
  for (const entry of entries) one.offer(entry)
  return one.chosen()
}
