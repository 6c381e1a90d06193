/** A real slapd with a database of its own, for tests: on a free port of this machine, with StartTLS, gone when it is closed. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const program = '/usr/sbin/slapd'

/** Why no test with a real server can run here; false when they can. */
export const noSlapd: string | false = existsSync(program) ? false : 'slapd is not installed'

export const suffix = 'dc=example,dc=org'
export const rootDn = `cn=admin,${suffix}`
export const rootPassword = 'root-secret'

export interface Slapd {
  readonly url: string
  /** The same, encrypted from the start. */
  readonly secureUrl: string
  /** File of the certificate that it shows. */
  readonly certificate: string
  stop(): Promise<void>
  /** After `stop`, with the same entries. */
  start(): Promise<void>
  close(): Promise<void>
}

export interface SlapdOptions {
  /** Entries that it gives at once, at most. */
  readonly sizeLimit?: number
  /** With classes and attributes named as those of Active Directory. */
  readonly microsoft?: boolean
}

/** `ldif`: entries below the suffix, whose own entry is made. */
export async function startSlapd(ldif: string, options: SlapdOptions = {}): Promise<Slapd> {
  const folder = mkdtempSync(join(tmpdir(), 'strata-slapd-'))
  try {
    const certificate = makeCertificate(folder)
    const config = fill(folder, ldif, options)
    const [port, securePort] = [await freePort(), await freePort()]
    const [url, secureUrl] = [`ldap://127.0.0.1:${port}`, `ldaps://127.0.0.1:${securePort}`]
    let server = await serve(['-f', config, '-h', `${url} ${secureUrl}`], port)
    const stop = () => server.stop()
    return {
      ...{ url, secureUrl, certificate, stop },
      async start() {
        server = await serve(['-f', config, '-h', `${url} ${secureUrl}`], port)
      },
      async close() {
        await stop()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } catch (thrown) {
    rmSync(folder, { recursive: true, force: true })
    throw thrown
  }
}

/** Makes the database in the folder. Returns the file of its configuration. */
function fill(folder: string, ldif: string, options: SlapdOptions): string {
  const [config, entries] = [join(folder, 'slapd.conf'), join(folder, 'entries.ldif')]
  mkdirSync(join(folder, 'data'))
  writeFileSync(config, configuration(folder, options))
  const own = `dn: ${suffix}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n`
  writeFileSync(entries, own + ldif)
  execFileSync('/usr/sbin/slapadd', ['-q', '-f', config, '-l', entries], { stdio: ['ignore', 'ignore', 'pipe'] })
  return config
}

/** Starts the server, and waits until it answers. */
async function serve(words: readonly string[], port: number): Promise<{ stop(): Promise<void> }> {
  const child = spawn(program, [...words, '-d', '0'], { stdio: 'ignore' })
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const kill = () => void child.kill('SIGTERM')
  process.once('exit', kill)
  await answering(port, () => child.exitCode !== null)
  return {
    async stop() {
      process.off('exit', kill)
      kill()
      await ended
    },
  }
}

/** Classes and attributes as Active Directory has them, with rules by which they can be searched. */
const microsofts = `attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP inetOrgPerson STRUCTURAL MAY ( objectGUID $ sAMAccountName $ userAccountControl ) )
objectclass ( 1.2.840.113556.1.5.8 NAME 'group' SUP top STRUCTURAL MUST cn MAY ( objectGUID $ sAMAccountName $ member ) )`

/** Attributes that say whether someone is enabled. */
const switched = `attributetype ( 1.3.6.1.4.1.99999.1.1 NAME 'enabled' EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.2 NAME 'disabledFlag' EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.99999.2.1 NAME 'switched' SUP top AUXILIARY MAY ( enabled $ disabledFlag ) )`

const configuration = (folder: string, { sizeLimit = 500, microsoft = false }: SlapdOptions) => `
modulepath /usr/lib/ldap
moduleload back_mdb
${microsoft ? '' : 'moduleload memberof'}
${['core', 'cosine', 'inetorgperson'].map(name => `include /etc/ldap/schema/${name}.schema`).join('\n')}
${microsoft ? microsofts : switched}
pidfile ${folder}/slapd.pid
TLSCertificateFile ${folder}/server.crt
TLSCertificateKeyFile ${folder}/server.key
sizelimit ${sizeLimit}
database mdb
suffix "${suffix}"
rootdn "${rootDn}"
rootpw ${rootPassword}
directory ${folder}/data
maxsize 104857600
index objectClass eq
index uid,cn,sn eq,sub
${microsoft ? '' : 'overlay memberof\nmemberof-dangling ignore'}
`

function makeCertificate(folder: string): string {
  const [key, certificate] = [join(folder, 'server.key'), join(folder, 'server.crt')]
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1']
  const files = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate]
  execFileSync('openssl', [...words, ...files], { stdio: 'ignore' })
  return certificate
}

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

async function answering(port: number, ended: () => boolean): Promise<void> {
  for (const end = Date.now() + 15_000; ; ) {
    const there = await new Promise<boolean>(resolve => {
      const socket = connect(port, '127.0.0.1', () => resolve(true))
      socket.once('error', () => resolve(false))
      socket.once('close', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (there) return
    if (ended() || Date.now() > end) throw new Error('slapd did not start')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** Persons below ou=People and groups below ou=Groups: whom tests know. */
export const company = `
dn: ou=People,${suffix}
objectClass: organizationalUnit
ou: People

dn: ou=Groups,${suffix}
objectClass: organizationalUnit
ou: Groups

dn: cn=reader,${suffix}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: reader-secret

${[
  ['ann', 'Ann Archer', 'TRUE'],
  ['bob', 'Bob Baker', 'TRUE'],
  ['cid', 'Cid Carver', 'FALSE'],
  ['dora', 'Dora (a*b) \\\\ Doe', 'TRUE'],
]
  .map(
    ([uid, name, enabled]) => `dn: uid=${uid},ou=People,${suffix}
objectClass: inetOrgPerson
objectClass: switched
uid: ${uid}
cn: ${name}
sn: ${name}
mail: ${uid}@example.org
description: about ${uid}
enabled: ${enabled}
userPassword: ${uid}-secret
`,
  )
  .join('\n')}
dn: cn=staff,ou=Groups,${suffix}
objectClass: groupOfNames
cn: staff
description: all of them
member: uid=ann,ou=People,${suffix}
member: uid=bob,ou=People,${suffix}
member: uid=gone,ou=People,${suffix}

dn: cn=makers,ou=Groups,${suffix}
objectClass: groupOfNames
cn: makers
member: UID=Bob, ou=People,${suffix}
`

/** Options of a domain with that company; read only. */
export const companyOptions = (url: string) => ({
  url,
  user: rootDn,
  password: rootPassword,
  suffix,
  user_tree_dn: `ou=People,${suffix}`,
  user_id_attribute: 'uid',
  user_name_attribute: 'uid',
  group_tree_dn: `ou=Groups,${suffix}`,
  group_id_attribute: 'cn',
  group_name_attribute: 'cn',
})
