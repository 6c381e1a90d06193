import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseListQuery, splitQuoted } from './filters.ts'

const limits = { default: 25, max: 1000 }
const parse = (query: Record<string, string | string[]>) => parseListQuery(query, limits)
const parsed = (query: Record<string, string | string[]>) =>
  parse(query).conditions.filter(one => !(one.kind === 'flag' && one.field === 'os_hidden'))

describe('conditions', () => {
  test('names take one value, or several behind in:', () => {
    assert.deepEqual(parsed({ name: 'a' }), [{ kind: 'in', field: 'name', values: ['a'] }])
    assert.deepEqual(parsed({ name: 'eq:a:b' }), [{ kind: 'in', field: 'name', values: ['a:b'] }])
    assert.deepEqual(parsed({ status: 'in:a,"b, \\"c",d' }), [
      { kind: 'in', field: 'status', values: ['a', 'b, "c', 'd'] },
    ])
  })

  test('sizes have bounds, times operators and zones', () => {
    assert.deepEqual(parsed({ size_min: '5' }), [{ kind: 'number', field: 'size', op: 'gte', value: 5 }])
    assert.deepEqual(parsed({ created_at: 'lt:2026-01-02T03:04:05+0100' }), [
      {
        kind: 'time',
        field: 'created_at',
        op: 'lt',
        value: '2026-01-02T02:04:05.000Z',
        end: '2026-01-02T02:04:06.000Z',
      },
    ])
    assert.deepEqual(parsed({ updated_at: '2026-01-02T03:04:05' })[0], {
      kind: 'time',
      field: 'updated_at',
      op: 'eq',
      value: '2026-01-02T03:04:05.000Z',
      end: '2026-01-02T03:04:06.000Z',
    })
  })

  test('what nobody knows is a property; hidden images are left out unless asked for', () => {
    assert.deepEqual(parse({ os_distro: 'x' }).conditions, [
      { kind: 'property', name: 'os_distro', value: 'x' },
      { kind: 'flag', field: 'os_hidden', value: false },
    ])
    assert.deepEqual(parse({ os_hidden: 'TRUE' }).conditions, [{ kind: 'flag', field: 'os_hidden', value: true }])
  })
})

test('order: both syntaxes, and always total', () => {
  const sort = (query: Record<string, string | string[]>) => parse(query).sort.map(one => `${one.key}:${one.direction}`)
  assert.deepEqual(sort({}), ['created_at:desc', 'id:desc'])
  assert.deepEqual(sort({ sort: 'name:asc,size' }), ['name:asc', 'size:desc', 'created_at:desc', 'id:desc'])
  assert.deepEqual(sort({ sort_dir: 'asc' }), ['created_at:asc', 'id:asc'])
  assert.deepEqual(sort({ sort_key: ['name', 'id'], sort_dir: 'asc' }), ['name:asc', 'id:asc', 'created_at:asc'])
  assert.deepEqual(sort({ sort_key: ['name', 'id'], sort_dir: ['asc', 'desc'] }), [
    'name:asc',
    'id:desc',
    'created_at:desc',
  ])
})

describe('refused, with what is at fault', () => {
  const cases: [Record<string, string | string[]>, RegExp][] = [
    [{ limit: 'x' }, /limit param must be an integer/],
    [{ limit: '-1' }, /limit param must be positive/],
    [{ member_status: 'x' }, /Invalid status: x/],
    [{ visibility: 'x' }, /Invalid visibility value: x/],
    [{ 'changes-since': 'x' }, /changes-since/],
    [{ size_min: 'x' }, /non-numeric value: size_min/],
    [{ size: '1e9' }, /non-numeric value: size/],
    [{ created_at: 'x' }, /Bad "created_at"/],
    [{ created_at: '2026-13-01T00:00:00Z' }, /Bad "created_at"/],
    [{ created_at: 'near:2026-01-01T00:00:00Z' }, /unknown operator: near/],
    [{ name: 'neq:x' }, /unknown operator 'neq'/],
    [{ name: 'in:"x' }, /quotation mark/],
    [{ name: 'in:a"b",c' }, /no comma/],
    [{ protected: 'yes' }, /'protected'/],
    [{ os_hidden: 'yes' }, /'os_hidden'/],
    [{ sort: 'name:up' }, /Invalid sort direction: up/],
    [{ sort: 'owner' }, /Invalid sort key: owner/],
    [{ sort: 'name', sort_key: 'name' }, /cannot be combined/],
    [{ sort_key: ['name', 'id', 'size'], sort_dir: ['asc', 'asc'] }, /does not match/],
  ]
  for (const [query, message] of cases)
    test(JSON.stringify(query), () =>
      assert.throws(
        () => parse(query),
        (err: { status: number; message: string }) => err.status === 400 && message.test(err.message),
      ),
    )
})

test('quoted lists come apart as they were put together', () => {
  const quote = (part: string) => `"${part.replace(/[\\"]/g, c => `\\${c}`)}"`
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), parts =>
      assert.deepEqual(splitQuoted(parts.map(quote).join(',')), parts),
    ),
  )
})
