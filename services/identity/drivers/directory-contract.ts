/**
 * What every driver of a directory must do, as tests that run against each of them: `directoryContract` is called from the test
 * file of a driver with a way to make a directory that is there already.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Fault } from '@strata/toolkit/fault'
import type { Directory, DirectoryQuery } from '../logic/ports/directory.ts'

export interface ContractScene {
  readonly directory: Directory
  /** Someone in that group. */
  readonly user: { readonly id: string; readonly name: string; readonly password: string }
  readonly group: { readonly id: string; readonly name: string }
  /** Users and groups can be changed. */
  readonly writable: boolean
  end(): Promise<void>
}

const everyone: DirectoryQuery = { names: [], limit: 1000 }
const refused = (status: number) => (thrown: unknown) => thrown instanceof Fault && thrown.status === status

export function directoryContract(
  name: string,
  options: { skip: string | false; make(): Promise<ContractScene> },
): void {
  describe(`a directory: ${name}`, { skip: options.skip }, () => {
    let scene: ContractScene
    before(async () => {
      scene = await options.make()
    })
    after(() => scene?.end())
    reading(() => scene)
    writing(() => scene)
  })
}

function reading(scene: () => ContractScene): void {
  it('finds by id, and nobody by what is no id', async () => {
    const { directory, user, group } = scene()
    assert.equal((await directory.findUser(user.id))?.name, user.name)
    assert.equal((await directory.findGroup(group.id))?.name, group.name)
    for (const id of ['', '*', ' ', `${user.id}*`, `${user.id})(objectClass=*`, '-', '\0', '0', 'x'.repeat(300)]) {
      assert.equal(await directory.findUser(id), undefined, JSON.stringify(id))
      assert.equal(await directory.findGroup(id), undefined, JSON.stringify(id))
    }
  })

  it('lets in who knows the password, by id and by name', async () => {
    const { directory, user } = scene()
    const { id, name, password } = user
    assert.equal((await directory.authenticate({ id }, password))?.id, id)
    assert.equal((await directory.authenticate({ name }, password))?.id, id)
  })

  it('lets in nobody else', async () => {
    const { directory, user } = scene()
    const { id, name, password } = user
    for (const [who, given] of [
      [{ id }, ''],
      [{ name }, ''],
      [{ id }, `${password}\0`],
      [{ name: `${name}x` }, password],
      [{ name: '*' }, password],
      [{ name: '' }, password],
      [{ id: '' }, password],
    ] as const)
      assert.equal(await directory.authenticate(who, given), undefined, JSON.stringify([who, given]))
  })

  it('lists in order, page by page', async () => {
    const { directory, user, group } = scene()
    for (const list of [directory.listUsers, directory.listGroups]) {
      const all: readonly { readonly id: string; readonly name: string }[] = await list(everyone)
      const paged: { readonly id: string; readonly name: string }[] = []
      for (;;) {
        const last = paged.at(-1)
        const page = await list({ names: [], limit: 2, ...(last && { after: last }) })
        paged.push(...page)
        if (page.length === 0) break
      }
      assert.deepEqual(paged, all)
      const sorted = [...all].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1))
      assert.deepEqual(all, sorted)
    }
    assert.ok((await directory.listUsers(everyone)).some(one => one.id === user.id))
    assert.ok((await directory.listGroups(everyone)).some(one => one.id === group.id))
  })

  it('lists those whose names match, and no others', async () => {
    const { directory, user } = scene()
    const all = await directory.listUsers(everyone)
    for (const value of [user.name, user.name.slice(1), user.name.toUpperCase(), '*', '(', '\\', 'a*b'])
      for (const fold of [false, true])
        for (const [kind, test] of Object.entries({
          equals: (text: string, wanted: string) => text === wanted,
          contains: (text: string, wanted: string) => text.includes(wanted),
          startswith: (text: string, wanted: string) => text.startsWith(wanted),
          endswith: (text: string, wanted: string) => text.endsWith(wanted),
        })) {
          const match = { kind: kind as 'equals', value, fold }
          const plain = (text: string) => (fold ? text.toLowerCase() : text)
          assert.deepEqual(
            (await directory.listUsers({ names: [match], limit: 1000 })).map(one => one.id),
            all.filter(one => test(plain(one.name), plain(value))).map(one => one.id),
            JSON.stringify(match),
          )
        }
    assert.deepEqual(
      await directory.listUsers({ ...everyone, enabled: true }),
      all.filter(one => one.enabled),
    )
  })

  it('knows groups of users as it knows users of groups', async () => {
    const { directory, user, group } = scene()
    assert.ok((await directory.groupsOf(user.id)).some(one => one.id === group.id))
    assert.ok((await directory.membersOf(group.id)).some(one => one.id === user.id))
    assert.deepEqual(await directory.groupsOf('nobody-here'), [])
    assert.deepEqual(await directory.membersOf('nobody-here'), [])
  })
}

function writing(scene: () => ContractScene): void {
  it('changes users, groups and members, or refuses to', async () => {
    const { directory, user, group, writable } = scene()
    const person = { id: 'newcomer', name: 'newcomer', password: 'first', extra: { email: 'n@example.org' } }
    if (!writable) {
      for (const act of [
        () => directory.createUser(person),
        () => directory.updateUser(user.id, { enabled: false }),
        () => directory.deleteUser(user.id),
        () => directory.createGroup({ id: 'g', name: 'g' }),
        () => directory.updateGroup(group.id, { description: 'x' }),
        () => directory.deleteGroup(group.id),
        () => directory.addMember(group.id, user.id),
        () => directory.removeMember(group.id, user.id),
      ])
        await assert.rejects(act, refused(403))
      return
    }
    const made = await directory.createUser(person)
    assert.deepEqual([made.name, made.enabled, made.extra['email']], ['newcomer', true, 'n@example.org'])
    await assert.rejects(() => directory.createUser(person), refused(409))
    assert.ok(await directory.authenticate({ id: made.id }, 'first'))
    const changed = await directory.updateUser(made.id, {
      password: 'second',
      enabled: false,
      extra: { description: 'new', email: null },
    })
    assert.deepEqual([changed.enabled, changed.extra], [false, { description: 'new' }])
    assert.equal(await directory.authenticate({ id: made.id }, 'first'), undefined)
    assert.equal((await directory.authenticate({ id: made.id }, 'second'))?.enabled, false)
    assert.equal((await directory.updateUser(made.id, { enabled: true })).enabled, true)

    const team = await directory.createGroup({ id: 'team', name: 'team', description: 'a, b + "c"' })
    assert.deepEqual(await directory.membersOf(team.id), [])
    assert.equal((await directory.updateGroup(team.id, { description: 'other' })).description, 'other')
    const ids = async () => (await directory.membersOf(team.id)).map(one => one.id).sort()
    for (const id of [made.id, made.id, user.id]) await directory.addMember(team.id, id)
    assert.deepEqual(await ids(), [made.id, user.id].sort())
    for (const id of [user.id, user.id]) await directory.removeMember(team.id, id)
    assert.deepEqual(await ids(), [made.id])
    await directory.deleteUser(made.id)
    assert.deepEqual([await directory.findUser(made.id), await ids()], [undefined, []])
    await assert.rejects(() => directory.deleteUser(made.id), refused(404))
    await directory.deleteGroup(team.id)
    assert.equal(await directory.findGroup(team.id), undefined)
  })
}
