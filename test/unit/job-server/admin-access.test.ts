import { describe, expect, it } from '@jest/globals';
import { adminAccessFrom } from '../../../lib/job-server/front/admin-access.js';

describe('admin access confined to loopback', () => {
  it.each([
    ['127.0.0.1', 'allowed'],
    ['127.8.9.10', 'allowed'],
    ['::1', 'allowed'],
    [undefined, 'allowed'],
    ['192.0.2.7', 'refused'],
    ['12.7.0.0', 'refused'],
    ['fe80::1%eth0', 'refused'],
    ['::', 'refused'],
    ['unknown', 'refused'],
  ])('makes a peer at %s %s', (address, access) => {
    expect(adminAccessFrom(address, 'loopback')).toBe(access);
  });

  it('leaves the other settings as they are', () => {
    expect(adminAccessFrom('192.0.2.7', 'allowed')).toBe('allowed');
    expect(adminAccessFrom('127.0.0.1', 'only')).toBe('only');
  });
});
