import { expect, it } from '@jest/globals';
import { accepts } from './free-port.js';
import { startGearmand, startPerlGearmand } from './gearmand.js';
import { describeWith } from './peers.js';

describeWith('gearmand', 'startGearmand', () => {
  it('serves a port of its own until it is stopped', async () => {
    const [one, other] = await Promise.all([startGearmand(), startGearmand(['--job-retries=1'])]);
    expect(one.port).not.toBe(other.port);
    expect(await one.stop()).toBe(0);
    expect(await accepts(one.port)).toBe(false);
    expect(await accepts(other.port)).toBe(true);
    await other.kill();
    expect(await accepts(other.port)).toBe(false);
  });

  it('tells why it did not start', async () => {
    await expect(startGearmand(['--queue-type=none-such'])).rejects.toThrow('none-such');
  });
});

describeWith('perl gearmand', 'startPerlGearmand', () => {
  it('serves a port of its own', async () => {
    const server = await startPerlGearmand();
    expect(await accepts(server.port)).toBe(true);
    await server.stop();
    expect(await accepts(server.port)).toBe(false);
  });
});
