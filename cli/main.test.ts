import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { helpFor, overview } from './help.ts'
import { parse } from './main.ts'
import { duration, Refusal, table } from './print.ts'
import { stateFolder } from './state.ts'

const refused = (words: string[], message: RegExp) =>
  assert.throws(
    () => parse(words),
    (error: Refusal) => error instanceof Refusal && error.status === 2 && message.test(error.message),
    words.join(' '),
  )

describe('the command line', () => {
  test('options may stand before and after the command', () => {
    const given = parse(['--state', '/a', 'up', '--simulated', '--port', '0'])
    assert.deepEqual([given.command, given.state, given.simulated, given.port], ['up', '/a', true, 0])
  })

  test('nothing is a call for help', () => assert.equal(parse([]).command, 'help'))

  test('words after -- are told from those before', () => {
    const { rest, words } = parse(['test', 'unit', '--', 'saga', '--odd'])
    assert.deepEqual([rest, words], [['unit'], ['saga', '--odd']])
    assert.deepEqual(parse(['test', '--', 'unit']).rest, [])
  })

  test('what is not understood is refused, never ignored', () => {
    refused(['fly'], /no command "fly"/)
    refused(['constructor'], /no command/)
    refused(['up', '--sim'], /^there is no option --sim; see "\.\/strata help up"$/)
    refused(['-x'], /^there is no option -x; see "\.\/strata help"$/)
    refused(['up', '--port'], /^Option '--port <value>' argument missing; see "\.\/strata help up"$/)
    refused(['status', '--json=1'], /^Option '--json' does not take an argument; see "\.\/strata help status"$/)
    refused(['up', '--port', '--host'], /^Option '--port' argument is ambiguous; see "\.\/strata help up"$/)
    refused(['down', '--simulated'], /^down takes no --simulated; see "\.\/strata help down"$/)
    refused(['down', 'all'], /down takes no "all"/)
    refused(['test', 'unit', 'lint'], /takes no "lint"/)
    for (const port of ['x', '-1', '65536', '1.5', '', '0x10'])
      refused(['up', `--port=${port}`], /--port is a whole number/)
  })

  test('every command has help', () => {
    const commands = [...overview().matchAll(/^ {2}([a-z]+)/gm)].map(match => match[1]!)
    assert.ok(commands.length > 8)
    for (const command of commands) {
      assert.equal(parse([command, '--help']).command, command)
      assert.match(helpFor(command), new RegExp(`^Usage: strata ${command}`))
    }
  })

  test('what the launcher calls is explained when asked for, and not listed', () => {
    assert.doesNotMatch(overview(), /compile/)
    assert.match(helpFor('compile'), /^Usage: strata compile/)
    assert.throws(() => helpFor('constructor'), /no command/)
  })
})

test('the state folder: flag, then environment, then where the program lies', () => {
  assert.equal(stateFolder({ flag: '/f', env: '/e', root: '/home/me/strata' }), '/f')
  assert.equal(stateFolder({ env: '/e', root: '/home/me/strata' }), '/e')
  assert.equal(stateFolder({ env: '', root: '/home/me/strata' }), '/home/me/strata/.strata')
  assert.equal(stateFolder({ root: '/usr/lib/strata' }), '/var/lib/strata')
})

test('durations show their two largest units', () => {
  const shown = [0.4, 42, 60, 3_725, 90_000, 86_400].map(duration)
  assert.deepEqual(shown, ['0s', '42s', '1m', '1h 2m', '1d 1h', '1d'])
})

test('tables align and carry no trailing blanks', () => {
  assert.equal(
    table([
      ['a', 'bb', ''],
      ['ccc', 'd', 'e'],
    ]),
    'a    bb\nccc  d   e',
  )
})
