import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { parseAddress, parseServers, type ServerAddress } from '../../../lib/connection/index.js';

const PEM = '-----BEGIN CERTIFICATE-----\n';

describe('an address', () => {
  it.each([
    ['jobs', { kind: 'tcp', name: 'jobs:4730', host: 'jobs', port: 4730 }],
    ['jobs.example:4731', { kind: 'tcp', name: 'jobs.example:4731', host: 'jobs.example', port: 4731 }],
    ['10.0.0.1:1', { kind: 'tcp', name: '10.0.0.1:1', host: '10.0.0.1', port: 1 }],
    ['[::1]:65535', { kind: 'tcp', name: '[::1]:65535', host: '::1', port: 65535 }],
    ['[::1]', { kind: 'tcp', name: '[::1]:4730', host: '::1', port: 4730 }],
    ['fe80::1', { kind: 'tcp', name: '[fe80::1]:4730', host: 'fe80::1', port: 4730 }],
    ['tcp://jobs:4731', { kind: 'tcp', name: 'jobs:4731', host: 'jobs', port: 4731 }],
    ['tls://jobs', { kind: 'tcp', name: 'jobs:4730', host: 'jobs', port: 4730, tls: {} }],
    ['unix:/run/gearman.sock', { kind: 'unix', name: 'unix:/run/gearman.sock', path: '/run/gearman.sock' }],
    [{}, { kind: 'tcp', name: '127.0.0.1:4730', host: '127.0.0.1', port: 4730 }],
    [
      { host: 'jobs', port: 4731, name: 'a' },
      { kind: 'tcp', name: 'a', host: 'jobs', port: 4731 },
    ],
    [{ path: '/run/gearman.sock' }, { kind: 'unix', name: 'unix:/run/gearman.sock', path: '/run/gearman.sock' }],
    [{ tls: { ca: PEM } }, { kind: 'tcp', name: '127.0.0.1:4730', host: '127.0.0.1', port: 4730, tls: { ca: PEM } }],
  ] as [ServerAddress, object][])('%j is understood', (address, endpoint) => {
    expect(parseAddress(address)).toEqual(endpoint);
  });

  it('may be anything that hands out streams', () => {
    const stream = new PassThrough();
    const endpoint = parseAddress({ connect: () => stream });
    expect(endpoint).toMatchObject({ kind: 'stream', name: 'embedded' });
    expect(endpoint.kind === 'stream' && endpoint.connect()).toBe(stream);
  });

  it.each([
    ['', "'' is not an address"],
    ['jobs:', 'is not an address'],
    ['jobs:port', 'is not an address'],
    ['http://jobs', 'is not an address'],
    ['jobs:0', 'from 1 to 65535, not 0'],
    ['jobs:65536', 'from 1 to 65535, not 65536'],
    ['[jobs]:4730', 'only an IPv6 address may stand in brackets'],
    ['unix:', 'a unix socket must have a path'],
    [{ host: '' }, 'a host must not be empty'],
    [{ port: 4730.5 }, 'from 1 to 65535, not 4730.5'],
    [{ host: 'jobs', path: '/run/gearman.sock' }, 'a path, or host and port, not both'],
    [{ path: '/run/gearman.sock', tls: true }, 'because a unix socket has no TLS'],
    [{ hostname: 'jobs' }, 'servers.hostname: is no part of an address; there are host, port, path, tls, name'],
    [{ host: 'jobs', tls: { ca: '/etc/ca.pem' } }, 'tls.ca: must be what is in a PEM file'],
    [{ connect: 'jobs' }, 'a function that returns a Duplex'],
    [4730, 'text or an object, not 4730'],
    [null, 'text or an object, not null'],
  ] as [ServerAddress, string][])('%j is refused: %s', (address, message) => {
    expect(() => parseAddress(address)).toThrow(message);
    expect(() => parseAddress(address)).toThrow(expect.objectContaining({ code: 'GEARMAN_INVALID_OPTION' }));
  });
});

describe('the option `tls`', () => {
  const tls = { ca: PEM };

  it('holds for every TCP address that does not say itself', () => {
    const servers = [
      'a',
      'tcp://b',
      'tls://c',
      { host: 'd' },
      { host: 'e', tls: false },
      { host: 'f', tls: { ca: [PEM] } },
    ];
    const secured = parseServers(servers, tls).map((endpoint) => endpoint.kind === 'tcp' && endpoint.tls);
    expect(secured).toEqual([tls, undefined, tls, tls, undefined, { ca: [PEM] }]);
  });

  it('may have certificates as bytes, and several', () => {
    expect(() => parseServers('a', { ca: [PEM, Buffer.from('der')], key: [{ pem: PEM }] })).not.toThrow();
  });

  it.each([
    ['yes', "tls: must be true, false or options of tls.connect, not 'yes'"],
    [null, 'tls: must be true, false or options of tls.connect, not null'],
    [{ ca: '/etc/ca.pem' }, "tls.ca: must be what is in a PEM file, as readFileSync('ca.pem') reads it"],
    [{ ca: [PEM, '/etc/ca.pem'] }, 'tls.ca: must be what is in a PEM file'],
    [{ cert: 'client.pem' }, 'tls.cert: must be what is in a PEM file'],
    [{ key: '' }, 'tls.key: must be what is in a PEM file'],
  ])('is refused as %j', (wrong, message) => {
    expect(() => parseServers('a', wrong as object)).toThrow(message);
  });
});

describe('a list of addresses', () => {
  it('may be text between commas', () => {
    expect(parseServers('a, b:4731').map(({ name }) => name)).toEqual(['a:4730', 'b:4731']);
  });

  it('defaults to the job server of this machine', () => {
    expect(parseServers()).toEqual([parseAddress('127.0.0.1:4730')]);
  });

  it('is refused when it is empty, or names one twice: jobs are known by their server', () => {
    expect(() => parseServers([])).toThrow('must name a job server');
    expect(() => parseServers(['a', 'a:4730'])).toThrow('must not name a:4730 twice');
    expect(() => parseServers([{ connect: () => new PassThrough() }, { connect: () => new PassThrough() }])).toThrow(
      'must not name embedded twice',
    );
  });
});
