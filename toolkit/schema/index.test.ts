import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as schema from './index.ts'

const problems = (json: schema.JsonSchema, value: unknown) =>
  schema
    .compileSchema(json)(value)
    .map(({ field, problem }) => `${field} ${problem}`)

const fields = {
  id: schema.uuid().readOnly(),
  name: schema.text({ maxLength: 3 }),
  owner: schema.text().immutable().optional(),
  size: schema.integer({ minimum: 0 }).defaultTo(1),
  note: schema.text().nullable(),
  mode: schema.oneOf('a', 'b').nullable(),
  seen: schema.time().computed().readOnly(),
}

test('fields give the schemas of creation, change and view', () => {
  const creation = schema.creationSchema(fields)
  assert.deepEqual(creation['required'], ['name'])
  assert.deepEqual(Object.keys(creation['properties'] as object), ['name', 'owner', 'size', 'note', 'mode'])
  assert.deepEqual(Object.keys(schema.updateSchema(fields)['properties'] as object), ['name', 'size', 'note', 'mode'])
  assert.deepEqual(Object.keys(schema.viewSchema(fields)['properties'] as object), Object.keys(fields))
  assert.deepEqual(problems(creation, { name: 'x', note: null, mode: null }), [])
  assert.equal(fields.size.default, 1)
  assert.equal(fields.note.default, null)
  assert.equal(fields.seen.stored, false)
})

test('violations name the field and say what is wrong', () => {
  const creation = schema.creationSchema(fields)
  assert.deepEqual(problems(creation, {}), ['name is required'])
  assert.deepEqual(problems(creation, { name: 'x', id: 'y' }), ['id is not allowed here'])
  assert.deepEqual(problems(creation, { name: 5 }), ['name must be of type string'])
  assert.deepEqual(problems(creation, { name: 'x', size: '1' }), ['size must be of type integer'])
  assert.match(problems(creation, { name: 'long' })[0]!, /^name must not have more than 3/)
  assert.match(problems(creation, { name: 'x', mode: 'c' })[0]!, /^mode must be one of a, b/)
  assert.deepEqual(problems({ pattern: '^a$', type: 'string' }, 'b'), [' does not match ^a$'])
  const nested = { properties: { 'a/b': { items: { required: ['x'], type: 'object' } } } }
  assert.deepEqual(problems(nested, { 'a/b': [{}] }), ['a/b.0.x is required'])
})

test('of several violations the deepest comes first', () => {
  const either = {
    anyOf: [
      { type: 'string' },
      {
        type: 'object',
        properties: { port: { type: 'object', properties: { id: { type: 'string', format: 'uuid' } } } },
      },
    ],
  }
  assert.equal(problems(either, { port: { id: 'x' } })[0], 'port.id is not a valid uuid')
})

test('formats', () => {
  const cases: Record<string, [good: string[], bad: string[]]> = {
    uuid: [
      ['0a000000-0000-4000-8000-000000000000', '0A0000000000400080000000000000ff'],
      ['', 'x', '0a000000'],
    ],
    ipv4: [['10.0.0.1'], ['10.1', '256.0.0.1', '::1', '0x7f.0.0.1']],
    ipv6: [
      ['::1', 'fe80::1'],
      ['fe80::1%eth0', '10.0.0.1', ':::'],
    ],
    ip: [
      ['10.0.0.1', '::1'],
      ['fe80::1%eth0', '10.1', 'x'],
    ],
    cidr: [
      ['10.0.0.0/8', 'fd00::/8'],
      ['10.0.0.0', '10.0.0.0/33', '10.0/8', 'x/1', 'fe80::%1/64'],
    ],
    'mac-address': [
      ['fa:16:3e:00:00:0a', 'FA:16:3E:00:00:0A'],
      ['fa-16-3e-00-00-0a', 'fa:16:3e:00:00', 'fa:16:3e:00:00:0g'],
    ],
    base64: [
      ['aGk=', 'aGk=\n', ''],
      ['a*b=', '=a'],
    ],
    hostname: [
      ['a', 'a-1.b'],
      ['-a', 'a-', 'a_b', '', 'a'.repeat(256)],
    ],
  }
  for (const [format, [good, bad]] of Object.entries(cases)) {
    for (const one of good) assert.deepEqual(problems({ type: 'string', format }, one), [], `${format} ${one}`)
    for (const one of bad)
      assert.deepEqual(problems({ type: 'string', format }, one), [` is not a valid ${format}`], `${format} ${one}`)
  }
})
