/** The texts of `strata help`. */
import { Refusal, table } from './print.ts'

interface Help {
  readonly usage: string
  readonly summary: string
  readonly more?: string
  /** Options and what they do. */
  readonly options?: readonly (readonly [string, string])[]
  /** For the launcher, not for people: explained when asked for, and not listed. */
  readonly internal?: boolean
}

const CONFIG = ['--config FILE', 'strata.yaml to read; "strata config" explains its options'] as const
const HOST = ['--host ADDRESS', 'address to listen on'] as const
const PORT = ['--port NUMBER', 'port to listen on (0: any free one)'] as const

const HELP: Readonly<Record<string, Help>> = {
  up: {
    usage: 'up',
    summary: 'install what is missing, start the cloud in the background, wait until it answers',
    more: [
      'As root on Debian or Ubuntu guests are real; elsewhere, and with --simulated, they are simulated.',
      'Give --host, --port and --config at every start: it does not go by what was given before.',
    ].join('\n'),
    options: [
      ['--simulated', 'simulate guests and networks: needs no root and installs nothing'],
      ['--foreground', 'serve here until Ctrl-C, not in the background'],
      HOST,
      PORT,
      CONFIG,
    ],
  },
  down: {
    usage: 'down',
    summary: 'stop the control plane; instances go on running',
    more: 'With --all, disks and databases stay: after "up", instances are off and can be started.',
    options: [['--all', 'stop instances and the data plane daemons too']],
  },
  status: {
    usage: 'status',
    summary: 'show what runs',
    more: 'Exit status: 0 ready, 3 down, 1 anything else.',
    options: [['--json', 'as JSON, for programs']],
  },
  doctor: {
    usage: 'doctor',
    summary: 'say what is wrong, and the command that mends it',
    options: [HOST, PORT],
  },
  purge: {
    usage: 'purge',
    summary: 'stop everything and remove all that the cloud made on this machine',
    more: 'Debian packages and the account that guests run as stay.',
  },
  logs: {
    usage: 'logs [NAME]',
    summary: "show the end of a log (the server's, or the one named)",
    options: [
      ['-f, --follow', 'go on printing'],
      ['-n, --lines NUMBER', 'how many lines to begin with (100)'],
    ],
  },
  db: {
    usage: 'db [status|migrate|copy]',
    summary: 'show the databases, bring them up to this version, or copy them to another engine',
    more: [
      'URLs: sqlite:/folder, postgres://user:password@host/database, mariadb://user:password@host/',
      'copy needs the cloud to be down and the target to be new; it ends by comparing all rows of both.',
    ].join('\n'),
    options: [
      ['--to URL', 'with "copy": where to'],
      ['--from URL', 'with "copy": where from, if not from the cloud in the state folder'],
      ['--json', 'as JSON, for programs'],
      ['--config FILE', 'strata.yaml that names the databases, if not the one of the last start'],
    ],
  },
  keys: {
    usage: 'keys [status|rotate [tokens|jws|receipts|credentials]]',
    summary: 'show the keys of tokens and credentials, or change them',
    more: [
      'Works on a cloud that runs and on one that does not. What older keys made stays good: each is kept until the last',
      'token that it made has ended, and credentials are encrypted anew.',
    ].join('\n'),
    options: [['--json', 'as JSON, for programs']],
  },
  config: {
    usage: 'config',
    summary: 'explain every option of strata.yaml',
    options: [['--check FILE', 'instead say what is wrong with such a file, and with the policy file that it names']],
  },
  test: {
    usage: 'test [lint|unit|scenarios|conformance|bench] [-- WORDS]',
    summary: 'test the project; WORDS choose files by their path',
    more: 'Without a name: all but bench. The last line counts: N passed, N failed, N skipped.',
    options: [
      ['--engine NAME', 'with "unit": on sqlite, postgres, mariadb, all three, or rehearsed (every transaction twice)'],
    ],
  },
  conformance: {
    usage: 'conformance AREA [-- WORDS]',
    summary: "run OpenStack's own tests (Tempest) of a service",
    more: [
      'Those are run that tests/conformance/open.txt names.',
      'AREA is a service type (identity, image, compute, …), scenario, identity-rbac for who may do what, or all.',
      'Starts a simulated cloud for the tests, and removes it. As root, installs Tempest and its plugins from Debian.',
    ].join('\n'),
    options: [
      ['--smoke', 'only the tests that Tempest calls smoke tests'],
      ['--baseline', 'compare with what a real OpenStack passes'],
      ['--cloud NAME', 'test this cloud of clouds.yaml, which must let an administrator in'],
      ['-n, --workers NUMBER', 'how many tests at a time (2)'],
      ['--timeout SECONDS', 'end the run then; what is left counts as failed'],
      ['--json FILE', 'write every outcome there'],
    ],
  },
  serve: {
    usage: 'serve --mode real|simulated',
    summary: 'the server process itself, as "up" starts it',
    options: [HOST, PORT, CONFIG],
  },
  compile: {
    usage: 'compile',
    summary: 'load every module once, so that the first start finds them compiled',
    more: 'The launcher runs it after it has installed packages; there is no need to.',
    internal: true,
  },
  version: { usage: 'version', summary: 'print the versions of Strata and Node' },
}

const STATE = ['--state DIR', 'the cloud to work on ($STRATA_STATE; else .strata in the checkout)'] as const

export function overview(): string {
  const rows = Object.values(HELP)
    .filter(({ internal }) => !internal)
    .map(({ usage, summary }) => [`  ${usage.split(' --')[0]}`, summary])
  return [
    'strata: a cloud that speaks the OpenStack APIs',
    '',
    'Usage: strata COMMAND [OPTIONS]',
    '',
    table(rows),
    '',
    table([
      [`  ${STATE[0]}`, STATE[1]],
      ['  --help', 'help for a command'],
    ]),
  ].join('\n')
}

export function helpFor(command: string): string {
  const help = Object.hasOwn(HELP, command) ? HELP[command] : undefined
  if (!help) throw new Refusal(`there is no command "${command}"; "strata help" lists them`, 2)
  const options = [...(help.options ?? []), STATE].map(([name, text]) => [`  ${name}`, text])
  return [
    `Usage: strata ${help.usage} [OPTIONS]`,
    '',
    `${help.summary[0]!.toUpperCase()}${help.summary.slice(1)}.`,
    ...(help.more ? [help.more] : []),
    '',
    table(options),
  ].join('\n')
}
