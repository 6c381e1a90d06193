import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  configDriveFiles,
  contentOf,
  type Directory,
  ec2Versions,
  lookUp,
  type MetadataSubject,
  metadataTree,
  openstackVersions,
} from './metadata.ts'

const seed = Buffer.alloc(512, 7)
const subject: MetadataSubject = {
  id: '6f70656e-0000-4000-8000-000000000001',
  name: 'My VM',
  hostname: 'my-vm',
  projectId: 'p1',
  availabilityZone: 'nova',
  launchIndex: 0,
  reservationId: 'r-abc',
  flavorName: 'm1.nano',
  imageId: 'abcdef01-0000-4000-8000-000000000001',
  seq: 42,
  metadata: { role: 'web' },
  key: { name: 'laptop', publicKey: 'ssh-ed25519 AAAA me@here' },
  userData: Buffer.from('#!/bin/sh\n'),
  nics: [
    {
      port_id: 'port-1',
      network_id: 'net-1',
      mac_address: 'fa:16:3e:00:00:01',
      mtu: 1442,
      vif_name: 'tapport-1',
      fixed_ips: [{ ip_address: '10.0.0.5' }, { ip_address: 'fd00::5' }],
      floating_ips: [{ floating_ip_address: '172.24.4.9' }],
      tag: 'front',
    },
  ],
  securityGroups: ['default', 'web'],
}

const tree = metadataTree(subject, { randomSeed: seed })
const read = (path: string): string => {
  const node = lookUp(tree, path)
  assert.ok(node, `${path} should be there`)
  return Buffer.from(contentOf(node) as Uint8Array).toString()
}
const metaData = (version: string) =>
  JSON.parse(read(`/openstack/${version}/meta_data.json`)) as Record<string, unknown>

test('the OpenStack tree lists its versions and the files of each', () => {
  assert.deepEqual(read('/openstack').split('\n'), [...openstackVersions, 'latest'])
  assert.deepEqual(read('/openstack/2012-08-10/').split('\n'), ['meta_data.json', 'user_data'])
  assert.deepEqual(read('/openstack/latest').split('\n').sort(), [
    'meta_data.json',
    'network_data.json',
    'password',
    'user_data',
    'vendor_data.json',
    'vendor_data2.json',
  ])
})

test('meta_data.json has what its version has', () => {
  assert.deepEqual(metaData('2012-08-10'), {
    uuid: subject.id,
    meta: { role: 'web' },
    public_keys: { laptop: 'ssh-ed25519 AAAA me@here\n' },
    keys: [{ name: 'laptop', type: 'ssh', data: 'ssh-ed25519 AAAA me@here\n' }],
    hostname: 'my-vm.novalocal',
    name: 'My VM',
    launch_index: 0,
    availability_zone: 'nova',
  })
  assert.equal(metaData('2013-04-04')['random_seed'], seed.toString('base64'))
  assert.equal(metaData('2013-10-17')['project_id'], undefined)
  assert.equal(metaData('2015-10-15')['project_id'], 'p1')
  const tagged = { type: 'nic', mac: 'fa:16:3e:00:00:01', bus: 'none', address: 'none', tags: ['front'] }
  assert.deepEqual(metaData('2016-06-30')['devices'], [tagged])
  assert.deepEqual(metaData('2018-08-27')['devices'], [{ vf_trusted: false, ...tagged }])
  assert.deepEqual(metaData('2020-10-14')['dedicated_cpus'], [])
  assert.deepEqual(metaData('latest'), metaData('2020-10-14'))
})

test('network_data.json tells of links and asks for DHCP on them', () => {
  assert.deepEqual(JSON.parse(read('/openstack/latest/network_data.json')), {
    links: [{ id: 'tapport-1', vif_id: 'port-1', type: 'ovs', mtu: 1442, ethernet_mac_address: 'fa:16:3e:00:00:01' }],
    networks: [
      { id: 'network0', type: 'ipv4_dhcp', link: 'tapport-1', network_id: 'net-1' },
      { id: 'network1', type: 'ipv6_dhcp', link: 'tapport-1', network_id: 'net-1' },
    ],
    services: [],
  })
})

test('the EC2 tree is at the root, with its slashes and its odd listing of keys', () => {
  assert.deepEqual(read('/').split('\n'), [...ec2Versions, 'latest'])
  assert.equal(read('/latest'), 'meta-data/\nuser-data')
  assert.ok(read('/latest/meta-data/').split('\n').includes('public-keys/'))
  assert.equal(read('/latest/meta-data/public-keys/'), '0=laptop')
  assert.equal(read('/latest/meta-data/public-keys/0/'), 'openssh-key')
  assert.equal(read('/latest/meta-data/public-keys/0/openssh-key'), 'ssh-ed25519 AAAA me@here')
  assert.equal(read('/latest/meta-data/instance-id'), 'i-0000002a')
  assert.equal(read('/latest/meta-data/local-ipv4'), '10.0.0.5')
  assert.equal(read('/2009-04-04/meta-data/public-ipv4'), '172.24.4.9')
  assert.equal(read('/latest/meta-data/placement/availability-zone'), 'nova')
  assert.equal(read('/latest/meta-data/security-groups'), 'default\nweb')
  assert.equal(read('/latest/meta-data/block-device-mapping/ami'), 'vda')
  assert.equal(lookUp(tree, '/1.0/meta-data/placement'), undefined)
})

test('what is not there is not found', () => {
  for (const path of ['/openstack/2011-01-01', '/openstack/latest/nothing', '/latest/meta-data/hostname/more', '/x'])
    assert.equal(lookUp(tree, path), undefined, path)
})

test('whatever a directory lists resolves, for any subject', () => {
  const subjects = fc.record({
    name: fc.string(),
    metadata: fc.dictionary(fc.string(), fc.string()),
    key: fc.option(fc.record({ name: fc.stringMatching(/^[\w -]+$/), publicKey: fc.string() }), { nil: undefined }),
    userData: fc.option(fc.uint8Array(), { nil: undefined }),
    imageId: fc.option(fc.uuid(), { nil: null }),
    nics: fc.constantFrom([], subject.nics),
    securityGroups: fc.array(fc.string()),
  })
  fc.assert(
    fc.property(subjects, fc.boolean(), (change, seeded) => {
      const whole = metadataTree({ ...subject, ...change }, seeded ? { randomSeed: seed } : {})
      const walk = (directory: Directory, path: string): void => {
        for (const listed of directory.listing) {
          const child = `${path}/${listed.split('=')[0]}`
          const node = lookUp(whole, child)
          assert.ok(node, `${child} is listed`)
          if (node.kind === 'directory') walk(node, child.replace(/\/$/, ''))
          else if (node.type === 'application/json') JSON.parse(String(node.content()))
        }
      }
      walk(whole, '')
      walk(whole.entries.get('openstack') as Directory, '/openstack')
    }),
    { numRuns: 30 },
  )
})

test('a config drive holds the same files', () => {
  const files = configDriveFiles(subject, { randomSeed: seed })
  const content = (path: string) => Buffer.from(files[path]!).toString()
  assert.equal(content('openstack/latest/meta_data.json'), read('/openstack/latest/meta_data.json'))
  assert.equal(content('openstack/latest/user_data'), '#!/bin/sh\n')
  assert.equal(content('openstack/2015-10-15/network_data.json'), read('/openstack/latest/network_data.json'))
  assert.equal(JSON.parse(content('ec2/latest/meta-data.json'))['instance-id'], 'i-0000002a')
  assert.equal(files['openstack/latest/password'], undefined)
})
