/** For tests of what becomes of accounts with time and failures: clouds in which much time can pass. */
import { type Identity, startIdentity } from '../harness.test.ts'

export const day = 86_400_000
export const refusal = 'The request you have made requires authentication.'
export const message = (answer: { json: { error: { message: string } } }) => answer.json.error.message

const clouds: Identity[] = []
let count = 0

/** Ends all that were started. */
export async function closeAll(): Promise<void> {
  for (const cloud of clouds.splice(0)) await cloud.close()
}

/** A cloud in which time can pass without the administrator's token ending. */
export async function start(options: Readonly<Record<string, unknown>> = {}) {
  const cloud = await startIdentity({ token_expiration: 1000 * 86_400, login_failures_per_account: 1000, ...options })
  clouds.push(cloud)
  const [admin] = (await cloud.call('GET', '/v3/users?name=admin', cloud.admin)).json.users
  const exempt = { options: { ignore_user_inactivity: true } }
  await cloud.call('PATCH', `/v3/users/${admin.id}`, cloud.admin, { user: exempt })
  const person = async (values: object = {}) => {
    const user = await cloud.make('user', { name: `person${++count}`, password: 'first1', ...values })
    return { id: user.id as string, password: 'first1', user }
  }
  const change = (id: string, original_password: string, password: string) =>
    cloud.call('POST', `/v3/users/${id}/password`, '', { user: { original_password, password } })
  const patch = (id: string, user: object) => cloud.call('PATCH', `/v3/users/${id}`, cloud.admin, { user })
  const shown = async (id: string) => (await cloud.call('GET', `/v3/users/${id}`, cloud.admin)).json.user
  const login = async (id: string, password: string) => (await cloud.tryLogin({ id, password })).status
  const tokenOf = cloud.login
  let ahead = 0
  const advance = (ms: number) => {
    ahead += ms
    cloud.advance(ms)
  }
  const now = () => Date.now() + ahead
  return { ...cloud, person, change, patch, shown, login, tokenOf, advance, now }
}
