import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatAddress, formatPrefix, holds, parseAddress, parsePrefix, prefixOf } from '@strata/toolkit/ip'
import fc from 'fast-check'
import { allocateAddresses, isHostAddress, type SubnetFacts } from './ip-allocation.ts'
import { defaultPools, planSubnet } from './subnet.ts'

const prefixes = (version: 4 | 6, min: number, max: number) =>
  fc
    .tuple(fc.bigInt({ min: 1n << 24n, max: (1n << (version === 4 ? 31n : 124n)) - 1n }), fc.integer({ min, max }))
    .map(([value, length]) => prefixOf({ version, value }, length))

const plain = (cidr: string): SubnetFacts => {
  const plan = planSubnet({
    ip_version: cidr.includes(':') ? 6 : 4,
    cidr,
    enable_dhcp: false,
    dns_nameservers: [],
    host_routes: [],
    ipv6_ra_mode: null,
    ipv6_address_mode: null,
  })
  return { id: cidr, ip_version: cidr.includes(':') ? 6 : 4, ipv6_address_mode: null, service_types: [], ...plan }
}

const ask = (subnets: readonly SubnetFacts[], taken: ReadonlyMap<string, Set<string>>, requests?: object[]) =>
  allocateAddresses({ networkId: 'n', subnets, taken, mac: 'fa:16:3e:00:00:01', deviceOwner: '', requests })

describe('allocation of addresses', () => {
  test('every address of a subnet is given out once, and then no more', () => {
    fc.assert(
      fc.property(fc.oneof(prefixes(4, 26, 30), prefixes(6, 122, 126)), prefix => {
        const subnet = plain(formatPrefix(prefix))
        const taken = new Set<string>()
        const books = new Map([[subnet.id, taken]])
        const size = Number(prefix.last - prefix.first + 1n)
        // The network's own address and the gateway are not given out, nor the broadcast address of IPv4.
        const expected = size - (prefix.version === 4 ? 3 : 2)
        for (let at = 0; at < expected; at++) {
          const [ip] = ask([subnet], books)
          const address = parseAddress(ip!.ip_address)!
          assert.ok(holds(prefix, address.value) && isHostAddress(prefix, address))
          assert.notEqual(ip!.ip_address, subnet.gateway_ip)
          assert.ok(!taken.has(ip!.ip_address))
          taken.add(ip!.ip_address)
        }
        assert.throws(() => ask([subnet], books), { code: 'IpAddressGenerationFailure' })
      }),
      { numRuns: 30 },
    )
  })

  test('wishes and choices of one port never meet', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 2, max: 254 }), { maxLength: 8 }),
        fc.integer({ min: 0, max: 8 }),
        fc.uniqueArray(fc.integer({ min: 2, max: 254 }), { maxLength: 100 }),
        (wished, free, used) => {
          const subnet = plain('10.0.0.0/24')
          const taken = new Set(used.filter(n => !wished.includes(n)).map(n => `10.0.0.${n}`))
          const requests = [
            ...Array.from({ length: free }, () => ({ subnet_id: subnet.id })),
            ...wished.map(n => ({ ip_address: `10.0.0.${n}` })),
          ]
          const given = ask([subnet], new Map([[subnet.id, taken]]), requests).map(ip => ip.ip_address)
          assert.equal(new Set(given).size, requests.length)
          assert.ok(given.every(address => !taken.has(address)))
          assert.deepEqual(
            given.slice(free),
            wished.map(n => `10.0.0.${n}`),
          )
        },
      ),
    )
  })

  test('a port that asks for what it has keeps it', () => {
    const subnet = plain('10.0.0.0/24')
    const own = [{ subnet_id: subnet.id, ip_address: '10.0.0.9' }]
    const again = allocateAddresses({
      networkId: 'n',
      subnets: [subnet],
      taken: new Map([[subnet.id, new Set(['10.0.0.9', '10.0.0.2'])]]),
      mac: 'fa:16:3e:00:00:01',
      deviceOwner: '',
      requests: [{ subnet_id: subnet.id }, { subnet_id: subnet.id }],
      own,
    })
    assert.deepEqual(again, [...own, { subnet_id: subnet.id, ip_address: '10.0.0.3' }])
  })

  test('subnets for some types of device serve those alone', () => {
    const meant = { ...plain('10.0.1.0/24'), service_types: ['compute:nova'] }
    const all = plain('10.0.0.0/24')
    const given = (deviceOwner: string, subnets: SubnetFacts[]) =>
      allocateAddresses({ networkId: 'n', subnets, taken: new Map(), mac: '', deviceOwner, requests: undefined })[0]!
        .subnet_id
    assert.equal(given('compute:nova', [all, meant]), meant.id)
    assert.equal(given('network:dhcp', [meant, all]), all.id)
    assert.throws(() => given('network:dhcp', [meant]), { code: 'IpAddressGenerationFailureNoMatchingSubnet' })
  })
})

describe('plans of subnets', () => {
  test('the pools hold every host address but the gateway, and nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(prefixes(4, 26, 32), prefixes(6, 122, 128)), fc.nat({ max: 63 }), (prefix, offset) => {
        const at = prefix.first + (BigInt(offset) % (prefix.last - prefix.first + 1n))
        const gateway = formatAddress({ version: prefix.version, value: at })
        const pools = defaultPools(prefix, gateway)
        const inside = (value: bigint) =>
          pools.some(({ start, end }) =>
            holds({ first: parseAddress(start)!.value, last: parseAddress(end)!.value }, value),
          )
        for (let value = prefix.first; value <= prefix.last; value++)
          assert.equal(inside(value), isHostAddress(prefix, { version: prefix.version, value }) && value !== at)
      }),
      { numRuns: 60 },
    )
  })

  test('planning what was planned changes nothing', () => {
    fc.assert(
      fc.property(fc.oneof(prefixes(4, 8, 30), prefixes(6, 16, 126)), prefix => {
        const wish = {
          enable_dhcp: false,
          dns_nameservers: [],
          host_routes: [],
          ipv6_ra_mode: null,
          ipv6_address_mode: null,
        }
        const once = planSubnet({ ip_version: prefix.version, cidr: formatPrefix(prefix), ...wish })
        assert.deepEqual(planSubnet({ ip_version: prefix.version, ...wish, ...once }), once)
        assert.deepEqual(parsePrefix(once.cidr), prefix)
      }),
    )
  })
})
