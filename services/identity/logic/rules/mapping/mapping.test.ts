import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Assertion, Local, Requirement, Rule, SchemaVersion } from '../../../contract/mapping.ts'
import { applyMapping, attributesOf, type Mapped, MappingFailure } from './index.ts'
import { compilePattern, matchRemote } from './remote.ts'

const jane: Assertion = {
  First: ['Jane'],
  Last: ['Doe'],
  Mail: ['jane@acme.example'],
  Groups: ['dev', 'ops', 'All Staff'],
  Kind: ['Employee'],
}
const domain = { id: 'd' }

const apply = (rules: readonly Rule[], version: SchemaVersion = '1.0', assertion = jane): Mapped =>
  applyMapping(rules, assertion, version)
/** One rule of one local entry; its user is Jane unless the entry says otherwise. */
const one = (local: Local, ...remote: readonly Requirement[]): Mapped =>
  apply([{ local: [{ user: { name: 'jane' }, ...local }], remote: [{ type: 'First' }, ...remote] }])
const namesOf = (mapped: Mapped) => mapped.groups.map(group => group.name)

describe('the remote part', () => {
  const groups = 'Groups'
  const cases: readonly (readonly [
    what: string,
    requirement: Requirement,
    expected: readonly string[] | undefined | true,
  ])[] = [
    ['an attribute that is there, with all its values', { type: groups }, ['dev', 'ops', 'All Staff']],
    ['an attribute that is not there', { type: 'groups' }, undefined],
    ['a name that objects have by nature', { type: 'constructor' }, undefined],
    ['any_one_of: one of several values', { type: groups, any_one_of: ['x', 'ops'] }, true],
    ['any_one_of: none', { type: groups, any_one_of: ['x', 'op'] }, undefined],
    ['any_one_of: nothing to choose from', { type: groups, any_one_of: [] }, undefined],
    ['any_one_of: by expression, found anywhere', { type: groups, any_one_of: ['taf'], regex: true }, true],
    ['any_one_of: by expression, at the beginning', { type: groups, any_one_of: ['^taf'], regex: true }, undefined],
    ['any_one_of: what looks like an expression and is none', { type: groups, any_one_of: ['d.v'] }, undefined],
    ['not_any_of: none of the values', { type: groups, not_any_of: ['x'] }, true],
    ['not_any_of: one of them', { type: groups, not_any_of: ['x', 'dev'] }, undefined],
    ['not_any_of: by expression', { type: groups, not_any_of: ['^d'], regex: true }, undefined],
    ['not_any_of: of an attribute that is not there', { type: 'Other', not_any_of: ['x'] }, undefined],
    ['whitelist: what is on it', { type: groups, whitelist: ['ops', 'x', 'dev'] }, ['dev', 'ops']],
    ['whitelist: nothing left', { type: groups, whitelist: ['x'] }, []],
    ['whitelist: by expression', { type: groups, whitelist: ['S', '^o'], regex: true }, ['ops', 'All Staff']],
    ['blacklist: what is not on it', { type: groups, blacklist: ['ops'] }, ['dev', 'All Staff']],
    ['blacklist: by expression', { type: groups, blacklist: ['^(dev|ops)$'], regex: true }, ['All Staff']],
    ['an empty blacklist', { type: groups, blacklist: [] }, ['dev', 'ops', 'All Staff']],
  ]
  for (const [what, requirement, expected] of cases)
    test(what, () => {
      const matches = matchRemote([requirement], jane)
      assert.deepEqual(matches, expected === undefined ? undefined : expected === true ? [] : [expected])
    })

  test('all requirements must hold', () => {
    const kind = { type: 'Kind', any_one_of: ['Employee'] }
    assert.deepEqual(matchRemote([{ type: 'First' }, kind, { type: 'Last' }], jane), [['Jane'], ['Doe']])
    assert.equal(matchRemote([{ type: 'First' }, kind, { type: 'Kind', not_any_of: ['Employee'] }], jane), undefined)
  })

  test('expressions of Python’s dialect that say the same otherwise', () => {
    for (const [source, fits, not] of [
      ['(?i)^JANE$', 'jane', 'janet'],
      ['(?P<first>a)(?P=first)', 'aa', 'ab'],
      ['\\Aab\\Z', 'ab', 'abc'],
      ['^.*@acme\\.example$', 'x@acme.example', 'x@acmeXexample'],
      ['(?s)a.b', 'a\nb', 'ab'],
    ] as const) {
      assert.ok(compilePattern(source).test(fits), source)
      assert.ok(!compilePattern(source).test(not), source)
    }
    assert.throws(() => compilePattern('('), SyntaxError)
  })

  test('the attributes that are asked for', () => {
    const rules = [{ remote: [{ type: 'a' }, { type: 'b' }] }, { remote: [{ type: 'b' }, { type: 'c' }] }]
    assert.deepEqual(attributesOf(rules), ['a', 'b', 'c'])
  })
})

describe('the local part', () => {
  const remote = [
    { type: 'First' },
    { type: 'Kind', any_one_of: ['Employee'] },
    { type: 'Last' },
    { type: 'Mail' },
    { type: 'Groups' },
  ]
  const map = (local: Local, version?: SchemaVersion) => apply([{ local: [local], remote }], version)

  test('places are counted without conditions', () => {
    const { user } = map({ user: { id: '{2}', name: '{0} {1}', email: '{2}' } })
    assert.deepEqual(user, { id: 'jane@acme.example', name: 'Jane Doe', email: 'jane@acme.example', type: 'ephemeral' })
  })
  test('a user may be a local one, of a domain that an attribute tells', () => {
    const user = { name: '{0}', type: 'local', domain: { name: '{1}' } } as const
    assert.deepEqual(map({ user }).user, { name: 'Jane', type: 'local', domain: { name: 'Doe' } })
  })
  test('no user is one without a name', () => assert.deepEqual(map({ group: { id: 'g' } }).user, { type: 'ephemeral' }))
  test('several values in one text are apart by semicolons', () =>
    assert.equal(map({ user: { name: '{3}' } }).user.name, 'dev;ops;All Staff'))
  test('doubled braces are braces', () => assert.equal(map({ user: { name: '{{{0}}}' } }).user.name, '{Jane}'))
  test('a place that no attribute has fails', () => {
    assert.throws(() => map({ user: { name: '{4}' } }), MappingFailure)
    assert.throws(() => map({ user: { name: 'x' }, group_ids: '{9}' }), MappingFailure)
  })
  test('what an attribute says is not filled again', () => {
    const tricky = { A: ['{1}'], B: ['secret'] }
    const rules = [{ local: [{ user: { name: '{0}' } }], remote: [{ type: 'A' }, { type: 'B' }] }]
    assert.equal(apply(rules, '1.0', tricky).user.name, '{1}')
  })

  const ids: readonly (readonly [what: string, local: Local, expected: readonly string[]])[] = [
    ['one group by its id', { group: { id: 'g' } }, ['g']],
    ['one that an attribute names', { group: { id: '{0}' } }, ['Jane']],
    ['several that one names', { group: { id: '{3}' } }, ['dev', 'ops', 'All Staff']],
    ['group_ids of an attribute', { group_ids: '{3}' }, ['dev', 'ops', 'All Staff']],
    ['group_ids apart by semicolons', { group_ids: 'a; b;{0};' }, ['a', 'b', 'Jane']],
    ['group_ids as a list', { group_ids: '["a", \'b\']' }, ['a', 'b']],
    ['an empty list', { group_ids: '[]' }, []],
    ['both, each once', { group: { id: 'g' }, group_ids: 'g;h' }, ['g', 'h']],
  ]
  for (const [what, local, expected] of ids) test(what, () => assert.deepEqual(map(local).groupIds, expected))

  test('a group by name and domain', () => {
    const group = { name: '{1}s', domain: { name: 'Default' } }
    assert.deepEqual(map({ group }).groups, [{ name: 'Does', domain: { name: 'Default' } }])
    assert.deepEqual(namesOf(map({ group: { name: '{3}', domain } })), ['dev', 'ops', 'All Staff'])
    assert.deepEqual(namesOf(map({ group: { name: 'a;b', domain } })), ['a;b'])
  })
  test('groups of one domain', () => {
    assert.deepEqual(map({ groups: '{3}', domain }).groups[2], { name: 'All Staff', domain })
    assert.deepEqual(namesOf(map({ groups: 'a;b; c', domain })), ['a', 'b', 'c'])
    assert.deepEqual(namesOf(map({ groups: 'dept-{0}', domain })), ['dept-Jane'])
    assert.throws(() => map({ groups: 'a' }), MappingFailure)
  })
  test('no value brings a group of its own beside the one that it names', () => {
    const names = (groups: string, ...values: readonly string[]) =>
      namesOf(apply([{ local: [{ groups, domain }], remote: [{ type: 'A' }] }], '1.0', { A: values }))
    assert.deepEqual(names('{0}', 'x;admins', '["admins"]'), ['x;admins', '["admins"]'])
    assert.deepEqual(names('of-{0};b', 'x;admins'), ['of-x;admins', 'b'])
    assert.deepEqual(names("['{0}', 'b']", "x', 'admins"), ["x', 'admins", 'b'])
  })
  test('groups as another cloud tells them, each with its domain', () => {
    const told = ['JSON:{"name":"a","domain":{"name":"Default"}}', 'JSON:{"name":"b","domain":{"id":"x"}}']
    const rules = [{ local: [{ groups: '{0}' }], remote: [{ type: 'openstack_groups' }] }]
    assert.deepEqual(apply(rules, '1.0', { openstack_groups: told }).groups, [
      { name: 'a', domain: { name: 'Default' } },
      { name: 'b', domain: { id: 'x' } },
    ])
    for (const wrong of ['JSON:{"name":"a"}', 'JSON:{', 'JSON:1', 'JSON:{"name":1,"domain":{"id":"x"}}'])
      assert.throws(() => apply(rules, '1.0', { openstack_groups: [wrong] }), MappingFailure)
  })
  test('the same group is told once', () =>
    assert.deepEqual(namesOf(one({ group: { name: 'dev', domain }, groups: 'dev;ops', domain })), ['dev', 'ops']))
})

describe('projects and domains', () => {
  const project = { name: 'lab {0}', roles: [{ name: 'member' }] }
  const filled = { name: 'lab Jane', roles: [{ name: 'member' }] }
  const other = { ...project, name: 'p', domain: { name: 'Other' } }
  const map = (local: Local, version: SchemaVersion) =>
    apply([{ local: [{ user: { name: '{0}' }, ...local }], remote: [{ type: 'First' }, { type: 'Json' }] }], version, {
      ...jane,
      Json: [JSON.stringify([{ name: 'j', roles: [] }])],
    })

  test('1.0: a domain is that of groups alone', () => {
    const mapped = map({ projects: [project], domain }, '1.0')
    assert.deepEqual(mapped.projects, [filled])
    assert.equal(mapped.user.domain, undefined)
  })
  test('2.0: it is also that of the user and the projects that name none', () => {
    const mapped = map({ projects: [project, other], domain }, '2.0')
    assert.deepEqual(mapped.projects, [
      { ...filled, domain },
      { ...other, name: 'p' },
    ])
    assert.deepEqual(mapped.user.domain, domain)
    const own = { user: { name: 'x', domain: { id: 'own' } }, domain }
    assert.deepEqual(map(own, '2.0').user.domain, { id: 'own' })
    assert.equal(map({}, '2.0').user.domain, undefined)
  })
  test('3.0: an attribute may list projects, beside those of the rule', () => {
    const mapped = map({ projects: [project], projects_json: '{1}' }, '3.0')
    assert.deepEqual(
      mapped.projects.map(one => one.name),
      ['lab Jane', 'j'],
    )
    assert.throws(() => map({ projects_json: '{0}' }, '3.0'), MappingFailure)
    assert.throws(() => map({ projects_json: 'all' }, '3.0'), MappingFailure)
  })
})

describe('several rules', () => {
  const when = (any: string, ...local: readonly Local[]): Rule => ({
    local,
    remote: [{ type: 'First' }, { type: 'Kind', any_one_of: [any] }],
  })
  const project = (name: string) => ({ name, roles: [] })

  test('every one that matches counts', () => {
    const mapped = apply([
      when('Employee', { group: { id: 'a' } }, { projects: [project('first')] }),
      when('Guest', { user: { name: 'guest' }, group: { id: 'b' } }),
      when('Employee', { user: { name: '{0}' }, group: { id: 'c' } }, { user: { name: 'second' } }),
      when('Employee', { projects: [project('last')] }),
    ])
    assert.equal(mapped.user.name, 'Jane')
    assert.deepEqual(mapped.groupIds, ['a', 'c'])
    assert.deepEqual(
      mapped.projects.map(one => one.name),
      ['last'],
    )
  })
  test('none that matches fails', () =>
    assert.throws(() => apply([when('Guest', { user: { name: 'x' } })]), {
      name: 'MappingFailure',
      message: /^Could not map any federated user properties to identity values\./,
    }))
})

describe('whatever the attributes say', () => {
  const values = fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 })
  const attributes = fc.dictionary(fc.constantFrom('A', 'B', 'C'), values, { noNullPrototype: true })
  const text = fc.constantFrom('{0}', '{1}', 'x{0}y', '{0} {1}', 'plain', '{}', '{{0}}', '[{0}]', "['{0}']")
  const requirement = fc.record(
    {
      type: fc.constantFrom('A', 'B', 'C'),
      whitelist: values,
      any_one_of: values,
      not_any_of: values,
      blacklist: values,
    },
    { requiredKeys: ['type'], noNullPrototype: true },
  )
  const rule = fc.record(
    {
      local: fc.array(
        fc.record(
          { user: fc.record({ name: text }), groups: text, group_ids: text, domain: fc.constant(domain) },
          { requiredKeys: [], noNullPrototype: true },
        ),
        { minLength: 1, maxLength: 3 },
      ),
      remote: fc.array(requirement, { minLength: 1, maxLength: 3 }),
    },
    { noNullPrototype: true },
  )

  test('it ends in a user or in a failure', () =>
    fc.assert(
      fc.property(fc.array(rule, { minLength: 1, maxLength: 3 }), attributes, (rules, assertion) => {
        try {
          const mapped = applyMapping(rules, assertion, '2.0')
          assert.equal(mapped.user.type, 'ephemeral')
          assert.equal(new Set(mapped.groupIds).size, mapped.groupIds.length)
        } catch (thrown) {
          assert.ok(thrown instanceof MappingFailure, String(thrown))
        }
      }),
    ))

  test('a whitelist and a blacklist of the same values part an attribute in two', () =>
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 1 }), fc.array(fc.string()), (all, some) => {
        const kept = matchRemote([{ type: 'A', whitelist: some }], { A: all })![0]!
        const rest = matchRemote([{ type: 'A', blacklist: some }], { A: all })![0]!
        assert.deepEqual([...kept, ...rest].sort(), [...all].sort())
        assert.ok(kept.every(value => some.includes(value)))
      }),
    ))

  test('any_one_of holds exactly where not_any_of does not', () =>
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), values, (all, some) => {
        const holds = (word: 'any_one_of' | 'not_any_of') =>
          matchRemote([{ type: 'A', [word]: some }], { A: all }) !== undefined
        assert.notEqual(holds('any_one_of'), holds('not_any_of'))
      }),
    ))

  test('a whitelisted attribute gives no group that is not on the list', () =>
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), all => {
        const rules = [{ local: [{ groups: '{0}', domain }], remote: [{ type: 'A', whitelist: ['staff'] }] }]
        const groups = namesOf(applyMapping(rules, { A: all }, '1.0'))
        assert.ok(groups.every(name => name === 'staff'))
      }),
    ))
})
