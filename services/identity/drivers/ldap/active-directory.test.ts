/**
 * Active Directory, as far as slapd goes: classes and attributes that are named and kept as there. What slapd cannot do is its rule for
 * groups in groups (the filter is tested beside `filters.ts`) and its way with `unicodePwd`.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemRuntime } from '@strata/toolkit/runtime'
import { ldapOptions, readGroup } from '../../contract/domain-config.ts'
import { enabledOf, enabledValue, guidBytes } from './entry.ts'
import { ldapDriver } from './index.ts'
import { noSlapd, rootDn, rootPassword, type Slapd, startSlapd, suffix } from './test-slapd.ts'

const guid = (n: number) => `6b29fc40-ca47-1067-b31d-0000000000${n}`
const people = [
  ['alice', '512', 11],
  ['brian', '514', 12],
  ['carol', '66048', 13],
] as const

const entries = `
dn: cn=Users,${suffix}
objectClass: applicationProcess
cn: Users

${people
  .map(
    ([name, control, n]) => `dn: cn=${name} of sales,cn=Users,${suffix}
objectClass: user
cn: ${name} of sales
sn: ${name}
sAMAccountName: ${name}
userAccountControl: ${control}
objectGUID:: ${guidBytes(guid(n))!.toString('base64')}
userPassword: ${name}-secret
`,
  )
  .join('\n')}
dn: cn=Sales,cn=Users,${suffix}
objectClass: group
cn: Sales
sAMAccountName: sales
objectGUID:: ${guidBytes(guid(21))!.toString('base64')}
member: cn=alice of sales,cn=Users,${suffix}
member: cn=carol of sales,cn=Users,${suffix}
`

const options = {
  user: rootDn,
  password: rootPassword,
  suffix,
  query_scope: 'sub',
  page_size: 1000,
  user_tree_dn: `cn=Users,${suffix}`,
  user_objectclass: 'user',
  user_id_attribute: 'objectGUID',
  user_name_attribute: 'sAMAccountName',
  user_enabled_attribute: 'userAccountControl',
  user_enabled_mask: 2,
  user_enabled_default: '512',
  user_allow_update: true,
  group_tree_dn: `cn=Users,${suffix}`,
  group_objectclass: 'group',
  group_id_attribute: 'objectGUID',
  group_name_attribute: 'sAMAccountName',
}

describe('Active Directory’s classes', { skip: noSlapd }, () => {
  let slapd: Slapd
  let directory: ReturnType<ReturnType<typeof ldapDriver>>
  before(async () => {
    slapd = await startSlapd(entries, { microsoft: true })
    directory = ldapDriver({ runtime: systemRuntime })({ ...options, url: slapd.url }, { domainId: 'd' })
  })
  after(async () => {
    await directory?.close()
    await slapd?.close()
  })

  test('users are known by their GUID, called by their account name, and disabled by a bit', async () => {
    const users = await directory.listUsers({ names: [], limit: 10 })
    assert.deepEqual(
      users.map(one => [one.id, one.name, one.enabled]),
      [
        [guid(11), 'alice', true],
        [guid(12), 'brian', false],
        [guid(13), 'carol', true],
      ],
    )
    assert.equal((await directory.findUser(guid(13)))?.name, 'carol')
    assert.equal((await directory.authenticate({ name: 'alice' }, 'alice-secret'))?.id, guid(11))
  })

  test('groups and their members', async () => {
    assert.deepEqual(
      (await directory.groupsOf(guid(11))).map(one => [one.id, one.name]),
      [[guid(21), 'sales']],
    )
    assert.deepEqual((await directory.membersOf(guid(21))).map(one => one.name).sort(), ['alice', 'carol'])
  })

  test('enabling and disabling changes that bit alone', async () => {
    assert.equal((await directory.updateUser(guid(13), { enabled: false })).enabled, false)
    assert.equal((await directory.updateUser(guid(13), { enabled: true })).enabled, true)
    const masked = readGroup(ldapOptions, options)
    assert.equal(enabledValue(false, '66048', masked), '66050')
    assert.equal(enabledValue(true, '66050', masked), '66048')
    assert.equal(enabledValue(true, undefined, masked), undefined)
    assert.equal(enabledOf(undefined, masked), true)
  })
})
