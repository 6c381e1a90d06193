import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { Fault } from '@strata/toolkit/fault'
import { systemRuntime } from '@strata/toolkit/runtime'
import { directoryContract } from '../directory-contract.ts'
import { ldapDriver } from './index.ts'
import { company, companyOptions, noSlapd, type Slapd, startSlapd, suffix } from './test-slapd.ts'

const open = (options: Readonly<Record<string, unknown>>) =>
  ldapDriver({ runtime: systemRuntime })(options, { domainId: 'd' })
const away = (thrown: unknown) => thrown instanceof Fault && thrown.status === 503
const everyone = { names: [], limit: 100 }

const scene =
  (more: Readonly<Record<string, unknown>>, writable = false) =>
  async () => {
    const slapd = await startSlapd(company)
    const directory = open({ ...companyOptions(slapd.url), ...more })
    return {
      directory,
      user: { id: 'ann', name: 'ann', password: 'ann-secret' },
      group: { id: 'staff', name: 'staff' },
      writable,
      end: async () => {
        await directory.close()
        await slapd.close()
      },
    }
  }

const allowed = Object.fromEntries(
  ['user', 'group'].flatMap(kind => ['create', 'update', 'delete'].map(act => [`${kind}_allow_${act}`, true])),
)

directoryContract('LDAP', { skip: noSlapd, make: scene({}) })
directoryContract('LDAP in pages of two, with one connection', {
  skip: noSlapd,
  make: scene({ page_size: 2, pool_size: 1, auth_pool_size: 1, query_scope: 'sub' }),
})
directoryContract('LDAP without kept connections', { skip: noSlapd, make: scene({ use_pool: false }) })
directoryContract('LDAP that is written, where a group says who is enabled', {
  skip: noSlapd,
  make: scene(
    {
      ...allowed,
      user_enabled_emulation: true,
      user_enabled_emulation_dn: `cn=staff,ou=Groups,${suffix}`,
      pool_size: 1,
    },
    true,
  ),
})

directoryContract('LDAP that is written, where the group of who is enabled is made when there is one', {
  skip: noSlapd,
  make: async () => {
    const made = await scene({ ...allowed, user_enabled_emulation: true }, true)()
    // Nobody is enabled yet.
    await made.directory.updateUser('ann', { enabled: true })
    return made
  },
})

describe('LDAP', { skip: noSlapd }, () => {
  let slapd: Slapd
  let options: ReturnType<typeof companyOptions>
  before(async () => {
    slapd = await startSlapd(company, { sizeLimit: 3 })
    options = companyOptions(slapd.url)
  })
  after(() => slapd?.close())
  const using = async <T>(more: object, act: (directory: ReturnType<typeof open>) => Promise<T>): Promise<T> => {
    const directory = open({ ...options, ...more })
    try {
      return await act(directory)
    } finally {
      await directory.close()
    }
  }
  const enabled = (more: object) =>
    using(more, async directory =>
      Object.fromEntries((await directory.listUsers(everyone)).map(one => [one.id, one.enabled])),
    )

  test('encrypted, by StartTLS or from the start: the certificate is checked, unless told otherwise', async () => {
    const login = (more: object) =>
      using({ use_tls: true, ...more }, directory => directory.authenticate({ name: 'ann' }, 'ann-secret'))
    assert.equal((await login({ tls_cacertfile: slapd.certificate }))?.id, 'ann')
    assert.equal((await login({ tls_req_cert: 'never' }))?.id, 'ann')
    await assert.rejects(() => login({ pool_retry_max: 1 }), away)
    const secure = { url: slapd.secureUrl, use_tls: false }
    assert.equal((await login({ ...secure, tls_cacertfile: slapd.certificate }))?.id, 'ann')
    await assert.rejects(() => login({ ...secure, pool_retry_max: 1 }), away)
    // A name that the certificate does not have.
    const misnamed = slapd.url.replace('127.0.0.1', 'localhost')
    await assert.rejects(() => login({ url: misnamed, tls_cacertfile: slapd.certificate, pool_retry_max: 1 }), away)
  })

  test('who is enabled: by attribute, the other way round, by mask, by a group, or everyone', async () => {
    assert.deepEqual(await enabled({}), { ann: true, bob: true, cid: false, dora: true })
    assert.deepEqual(await enabled({ user_attribute_ignore: 'enabled' }), {
      ann: true,
      bob: true,
      cid: true,
      dora: true,
    })
    assert.deepEqual(
      await enabled({
        user_enabled_attribute: 'disabledFlag',
        user_enabled_invert: true,
        user_enabled_default: 'False',
      }),
      {
        ...{ ann: true, bob: true, cid: true, dora: true },
      },
    )
    assert.deepEqual(await enabled({ user_enabled_attribute: 'enabled', user_enabled_invert: true }), {
      ...{ ann: false, bob: false, cid: true, dora: false },
    })
    const group = { user_enabled_emulation: true, user_enabled_emulation_dn: `cn=makers,ou=Groups,${suffix}` }
    assert.deepEqual(await enabled(group), { ann: false, bob: true, cid: false, dora: false })
    assert.deepEqual(await enabled({ user_enabled_emulation: true }), {
      ann: false,
      bob: false,
      cid: false,
      dora: false,
    })
  })

  test('more entries than the server gives at once are an error, not a part of them, unless asked for in pages', async () => {
    const page = { names: [], limit: 100 }
    const bare = { ...options, user: null, password: null }
    const anonymous = open(bare)
    await assert.rejects(
      () => anonymous.listUsers(page),
      (thrown: Error) => /page_size/.test(thrown.message),
    )
    await anonymous.close()
  })

  test('names with characters that mean something in filters and DNs are names like others', async () => {
    const named = { user_name_attribute: 'cn' }
    const name = 'Dora (a*b) \\\\ Doe'
    const found = await using(named, directory => directory.authenticate({ name }, 'dora-secret'))
    assert.equal(found?.id, 'dora')
    assert.equal(await using(named, directory => directory.authenticate({ name: 'Dora*' }, 'dora-secret')), undefined)
  })

  test('of several with one name nobody logs in by it', async () => {
    const directory = open({ ...options, user_name_attribute: 'objectClass' })
    assert.equal(await directory.authenticate({ name: 'inetOrgPerson' }, 'ann-secret'), undefined)
    await directory.close()
  })

  test('filters, additional attributes, what is ignored, members by id', async () => {
    const some = await using(
      {
        user_filter: '(|(uid=ann)(uid=bob))',
        user_additional_attribute_mapping: 'sn:family',
        user_attribute_ignore: ['email'],
      },
      directory => directory.listUsers(everyone),
    )
    assert.deepEqual(
      some.map(one => [one.id, one.extra]),
      [
        ['ann', { description: 'about ann', family: 'Ann Archer' }],
        ['bob', { description: 'about bob', family: 'Bob Baker' }],
      ],
    )
    const byId = { group_members_are_ids: true, group_member_attribute: 'description', group_filter: 'cn=staff' }
    assert.deepEqual(await using(byId, directory => directory.groupsOf('all of them')), [])
    assert.deepEqual(await using(byId, directory => directory.membersOf('staff')), [])
  })

  test('options that make no sense are told', () => {
    for (const [more, says] of [
      [{ url: 'http://x' }, /url/],
      [{ url: '' }, /url/],
      [{ use_tls: true, url: 'ldaps://x' }, /use_tls/],
      [{ user_filter: '(((' }, /user_filter/],
      [{ user_tree_dn: 'people' }, /user_tree_dn/],
      [{ page_size: 'x' }, /page_size/],
      [{ tls_cacertfile: '/nonexistent' }, /nonexistent/],
      [{ user_additional_attribute_mapping: 'x' }, /user_additional_attribute_mapping/],
    ] as const)
      assert.throws(() => open({ ...options, ...more }), says)
  })

  test('the next server is asked when one is away, and a wrong password of the searching DN is an outage', async () => {
    const dead = 'ldap://127.0.0.1:1'
    const found = await using({ url: `${dead}, ${slapd.url}` }, directory => directory.findUser('ann'))
    assert.equal(found?.id, 'ann')
    await assert.rejects(() => using({ url: dead }, directory => directory.findUser('ann')), away)
    await assert.rejects(() => using({ password: 'wrong' }, directory => directory.findUser('ann')), away)
  })

  test('a server that accepts and says nothing is given up', async () => {
    const silent = createServer(() => {})
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    const began = Date.now()
    await assert.rejects(
      () =>
        using({ url: `ldap://127.0.0.1:${port}`, connection_timeout: 1, pool_retry_max: 1 }, one => one.findUser('a')),
      away,
    )
    assert.ok(Date.now() - began < 10_000)
    silent.close()
  })

  test('connections that the server closed are replaced, and more logins than connections wait their turn', async () => {
    await using({ auth_pool_size: 2, pool_size: 2 }, async directory => {
      const logins = () =>
        Promise.all(Array.from({ length: 12 }, () => directory.authenticate({ name: 'bob' }, 'bob-secret')))
      assert.ok((await logins()).every(one => one?.id === 'bob'))
      await slapd.stop()
      await assert.rejects(() => directory.findUser('bob'), away)
      await slapd.start()
      assert.ok((await logins()).every(one => one?.id === 'bob'))
    })
  })
})
