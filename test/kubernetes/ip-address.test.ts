// Addresses and CIDR prefixes are read as strictly as Go's net/netip reads them, which judges the same texts and random ones
// in `npm run differential:syntax`.
import t from 'tap'
import { readAddress, readPrefix } from '../../src/kubernetes/ip-address.ts'

t.test('an address is read with its family and its zone', (t) => {
  t.same(readAddress('10.0.0.1'), { family: 4, zone: '' })
  t.same(readAddress('2001:DB8::a'), { family: 6, zone: '' })
  t.same(readAddress('::ffff:1.2.3.4'), { family: 6, zone: '' })
  t.same(readAddress('fe80::1%eth0'), { family: 6, zone: 'eth0' })
  t.end()
})

t.test('an address that Go refuses is refused', (t) => {
  const refused = [
    ...['', ' ', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.02.03.04', '0x1.2.3.4', '1.2.3.4 ', '1.2.3.4%eth0', '16909060'],
    ...[
      '::ffff:01.2.3.4',
      '::1.2.3',
      '1:2:3:4:5:6:7:1.2.3.4',
      '::1.2.3.4:5',
      '12345::',
      '::00001',
      '1::2::3',
      ':::',
      ':1',
      '1:',
    ],
    ...['fe80::1%', '%eth0', '[::1]', '::g', `${'0'.repeat(100_000)}::`, ':'.repeat(100_000)],
  ]
  for (const text of refused) t.equal(readAddress(text), undefined, text.slice(0, 40))
  t.end()
})

t.test('a prefix is an address without a zone and a length without leading zeros', (t) => {
  t.same(readPrefix('10.1.2.3/8'), { family: 4, bits: 8 })
  t.same(readPrefix('0.0.0.0/0'), { family: 4, bits: 0 })
  t.same(readPrefix('2001:db8::/128'), { family: 6, bits: 128 })
  const refused = [
    ...[
      '10.0.0.0',
      '10.0.0.0/',
      '10.0.0.0/08',
      '10.0.0.0/33',
      '10.0.0.0/+8',
      '10.0.0.0/-1',
      '10.0.0.0/8/8',
      '01.02.03.04/8',
    ],
    ...['::1/064', '::1/129', 'fe80::1%eth0/64', '::ffff:01.2.3.4/120', '/8', '10.0.0.0/ 8', '10.0.0.0/1e1'],
  ]
  for (const text of refused) t.equal(readPrefix(text), undefined, text)
  t.end()
})
