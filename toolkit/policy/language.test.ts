import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Credentials, compilePolicy } from './index.ts'

const caller: Credentials = { roles: ['Member'], user_id: 'u1', project_id: 'p1', domain_id: null }

/** Whether a check holds; `r` is what `rule:yes` and `rule:no` refer to. */
function holds(check: string, target: Record<string, unknown> = {}, credentials: Credentials = caller): boolean {
  const rules = [
    { name: 'it', check },
    { name: 'yes', check: '@' },
    { name: 'no', check: '!' },
  ]
  return compilePolicy(rules).allows('it', credentials, target)
}

test('`not` binds closer than `and`, `and` closer than `or`, parentheses closest', () => {
  const atoms = { true: '@', false: '!' }
  const bool = fc.boolean()
  fc.assert(
    fc.property(bool, bool, bool, (a, b, c) => {
      const [x, y, z] = [a, b, c].map(one => atoms[`${one}`])
      assert.equal(holds(`${x} or ${y} and ${z}`), a || (b && c))
      assert.equal(holds(`not ${x} and ${y} or ${z}`), (!a && b) || c)
      assert.equal(holds(`not (${x} or ${y}) AND ${z}`), !(a || b) && c)
      assert.equal(holds(`(${x} or ${y}) and not not ${z}`), (a || b) && c)
    }),
  )
  assert.equal(holds(''), true)
})

test('roles in any case, quoted literals, other credentials, and templates of the target', () => {
  assert.equal(holds('role:member'), true)
  assert.equal(holds('role:admin'), false)
  assert.equal(holds('role:%(wanted)s', { wanted: 'member' }), true)
  assert.equal(holds('project_id:%(project_id)s', { project_id: 'p1' }), true)
  assert.equal(holds('project_id:%(project_id)s', { project_id: 'p2' }), false)
  assert.equal(holds("'shared':%(status)s", { status: 'shared' }), true)
  assert.equal(holds('True:%(shared)s', { shared: true }), true)
  assert.equal(holds('user_id:%(a)s%(b)s', { a: 'u', b: 1 }), true)
})

test('dots lead into the target and the credentials; lists hold when one member does', () => {
  assert.equal(holds('user_id:%(target.user.id)s', { target: { user: { id: 'u1' } } }), true)
  assert.equal(holds('user_id:%(target.user.id)s', { target: { user: null } }), false)
  const credentials = { ...caller, token: { domains: [{ id: 'd1' }, { id: 'd2' }] } }
  assert.equal(holds('token.domains.id:d2', {}, credentials), true)
  assert.equal(holds('token.domains.id:d3', {}, credentials), false)
})

test('null and what is absent equal nothing, not even each other', () => {
  assert.equal(holds('domain_id:%(domain_id)s', { domain_id: null }), false)
  assert.equal(holds('domain_id:%(domain_id)s', {}), false)
  assert.equal(holds('nothing:%(nothing)s', {}), false)
  assert.equal(holds('None:%(owner)s', { owner: null }), true)
  assert.equal(holds('domain_id:None', {}), true)
  assert.equal(holds('domain_id:None', {}, { ...caller, domain_id: 'd1' }), false)
  assert.equal(holds('role:%(nothing)s', {}), false)
})

test('a target without the member that a field check or template names does not hold', () => {
  assert.equal(holds('field:networks:shared=True', {}), false)
  assert.equal(holds('field:networks:shared=True', { shared: true }), true)
})

test('a rule of some scopes is for tokens of these and for callers without any', () => {
  const policy = compilePolicy([{ name: 'it', check: '@', scopes: ['project'] }])
  const allows = (scope: unknown) => policy.allows('it', { ...caller, scope }, {})
  assert.deepEqual([allows('project'), allows('system'), allows(undefined)], [true, false, true])
})

test('rules refer to each other in any order; overrides replace them; unknown ones hold for nobody', () => {
  assert.equal(holds('rule:yes and not rule:no'), true)
  assert.equal(holds('rule:unheard_of'), false)
  const rules = [
    { name: 'a', check: 'rule:b' },
    { name: 'b', check: '!' },
  ]
  const policy = compilePolicy(rules, { b: '@', extra: 'role:member' })
  assert.equal(policy.allows('a', caller, {}), true)
  assert.equal(policy.allows('extra', caller, {}), true)
  assert.equal(policy.allows('nobody_knows', caller, {}), false)
  assert.deepEqual(
    policy.rules().map(rule => rule.name),
    ['a', 'b', 'extra'],
  )
})

test('cycles and malformed checks are refused at the start, naming the rule', () => {
  assert.throws(
    () =>
      compilePolicy([
        { name: 'a', check: 'rule:b' },
        { name: 'b', check: 'not (rule:a)' },
      ]),
    /a -> b -> a/,
  )
  for (const check of ['role', '(role:a', 'role:a)', 'role:a role:b', 'and', 'role:a or', 'not', ':a'])
    assert.throws(() => holds(check), /policy rule it: /, check)
})
