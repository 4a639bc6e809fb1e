import { describe, expect, it } from '@jest/globals';
import { InvalidOptionError } from '../../../lib/ground/index.js';
import { validateJobServerOptions, type JobServerOptions } from '../../../lib/job-server/job-server-options.js';

const validating = (options: unknown) => (): void => validateJobServerOptions(options as JobServerOptions);

describe('the options of a job server', () => {
  it.each([
    [{ listeners: { port: 4731 } }, 'listeners: must be a list of addresses, as [{ port: 4730 }], not {"port":4731}'],
    [{ listeners: [null] }, 'listeners[0]: must be an object, as { port: 4730 }, not null'],
    [
      { listeners: [{}, { prot: 4731 }] },
      'listeners[1].prot: is no option of a listener; did you mean port? there are port, host, path, backlog, admin, tls',
    ],
    [{ listeners: [{ host: '' }] }, "listeners[0].host: must be a text, not ''"],
    [{ listeners: [{ path: 7 }] }, 'listeners[0].path: must be a text, not 7'],
    [
      { listeners: [{ tls: { certificate: 'a.pem' } }] },
      'listeners[0].tls: must be the paths of a certificate and its key, not {"certificate":"a.pem"}',
    ],
    [
      { listeners: [{ tls: { certificate: 'a.pem', key: 'b.pem', clientCertificates: 'required' } }] },
      'listeners[0].tls.clientCertificates: is no option of TLS; did you mean clientCertificate? there are certificate, key, ca, clientCertificate',
    ],
    [{ packing: { from: 256 } }, 'packing: must be { from, size }, both whole numbers from 1, not {"from":256}'],
  ])('refuses %j, which would mean the default or fail later', (options, message) => {
    const [option = '', problem = ''] = message.split(/: (.*)/s);
    expect(validating(options)).toThrow(new InvalidOptionError(option, problem));
  });

  it('accepts every option of a listener, and options without a value', () => {
    const tls = { certificate: 'a.pem', key: 'b.pem', ca: 'c.pem', clientCertificate: 'optional' };
    const tcp = { host: '::1', port: 0, backlog: 1, admin: 'loopback', tls };
    expect(validating({ listeners: [tcp, { path: '/run/gearman', host: undefined }, {}] })).not.toThrow();
    expect(validating({ listeners: undefined, packing: { from: 1, size: 1 } })).not.toThrow();
  });
});
