/** `strata keys`: the keys of tokens, receipts and credentials, and changing them. The cloud may be running. */
import { type CloudModule, loadCloud } from '../cloud.ts'
import { duration, Refusal, say, table } from '../print.ts'
import type { State } from '../state.ts'

export async function keys(options: {
  readonly state: State
  /** `status` unless given. */
  readonly verb?: string | undefined
  /** Of the ring to change; all unless given. */
  readonly name?: string | undefined
  readonly json: boolean
  readonly load?: () => Promise<CloudModule>
}): Promise<void> {
  const { state, verb = 'status', name, json } = options
  if (verb !== 'status' && verb !== 'rotate')
    throw new Refusal(`keys takes status or rotate, not "${verb}"; see "./strata help keys"`, 2)
  if (verb === 'status' && name !== undefined) throw new Refusal(`keys status takes no "${name}"`, 2)
  const clouds = await (options.load ?? loadCloud)()
  const where = { state: state.folder }
  if (verb === 'rotate')
    for (const ring of await clouds.changeKeys({ ...where, ...(name !== undefined && { name }) }))
      say(`The key of ${ring} was changed.`)
  else {
    const rings = clouds.keysOf(where)
    say(json ? JSON.stringify(rings, null, 2) : formatKeys(rings, Date.now()))
  }
}

type Rings = ReturnType<CloudModule['keysOf']>

/** `now`: milliseconds since 1970. */
export function formatKeys(rings: Rings, now: number): string {
  const rows = rings.flatMap(({ name, everyHours, keys: all }) =>
    all.map(({ file, state, since }) => {
      const age = Math.max(0, now - since) / 1000
      const left = everyHours * 3600 - age
      const next = everyHours === 0 ? 'by hand' : left > 0 ? `in ${duration(left)}` : 'within the hour'
      return [name, file, state, duration(age), state === 'primary' ? next : '']
    }),
  )
  return table([['KEYS', 'FILE', 'STATE', 'SINCE', 'NEXT CHANGE'], ...rows])
}
