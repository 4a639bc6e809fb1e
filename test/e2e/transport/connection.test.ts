import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { JobClient, type GearmanClientOptions, type JobIdentity } from 'nestjs-gearman';
import { firstValueFrom } from 'rxjs';
import { freePort } from '../../support/free-port.js';
import { startGearmand } from '../../support/gearmand.js';
import { startOurs } from '../../support/job-servers.js';
import { clientOf } from '../../support/nest-app.js';
import { describeWith } from '../../support/peers.js';
import { until } from '../../support/until.js';

Logger.overrideLogger(false);

describe('a client', () => {
  const nowhere = {
    name: 'nowhere',
    connect: () => {
      throw new Error('nobody there');
    },
  };

  it('connects once, however often it is asked', async () => {
    const server = await startOurs();
    let connections = 0;
    const counting = { connect: () => (connections++, server.connect()) };
    const client = clientOf({ servers: counting });
    expect(client.connect()).toBe(client.connect());
    await client.connect();
    await firstValueFrom(client.emit('f', 0));
    expect(connections).toBe(1);
    expect(client.unwrap()).toBeInstanceOf(JobClient);
    expect(client.health()).toEqual({ servers: ['embedded'], away: [] });
  });

  it('says which job servers it cannot reach, and tries anew when asked again', async () => {
    const server = await startOurs();
    let isUp = false;
    const flaky = { name: 'flaky', connect: () => (isUp ? server.connect() : nowhere.connect()) };
    const client = clientOf({ servers: flaky, connectTimeout: 30, reconnect: { initialDelay: 5, maxDelay: 5 } });
    await expect(client.connect()).rejects.toMatchObject({
      code: 'GEARMAN_NO_SERVER',
      message: expect.stringContaining('flaky'),
    });
    await expect(firstValueFrom(client.send('f', 0))).rejects.toMatchObject({ code: 'GEARMAN_NO_SERVER' });
    await expect(client.submit('f', 0)).rejects.toMatchObject({ code: 'GEARMAN_NO_SERVER' });
    isUp = true;
    await expect(client.connect()).resolves.toBeUndefined();
    await expect(firstValueFrom(client.emit('f', 0))).resolves.toHaveProperty('handle');
  });

  it.each<[keyof GearmanClientOptions, unknown, RegExp]>([
    ['servers', 'http://jobs', /servers/],
    ['choose', 'best', /choose/],
    ['timeout', -1, /timeout: must be a whole number of milliseconds/],
    ['format', 'yaml', /format: must be 'json', 'text', 'raw' or 'auto'/],
    ['metadata', 'yes', /metadata: must be 'auto', true or false/],
    ['prefix', 5, /prefix: must be a text/],
    ['connectTimeout', 0, /connectTimeout/],
    ['server' as 'servers', 'jobs', /server: is no option; did you mean servers\? there are .*servers/],
  ])('refuses at once an option that cannot be: %s = %p', (option, value, message) => {
    expect(() => clientOf({ [option]: value })).toThrow(message);
    expect(() => clientOf({ [option]: value })).toThrow(expect.objectContaining({ code: 'GEARMAN_INVALID_OPTION' }));
  });
});

describeWith('gearmand', 'a client whose job server comes and goes', () => {
  it('tells its status and events', async () => {
    const port = await freePort();
    const first = await startGearmand([], port);
    const name = `127.0.0.1:${port}`;
    const client = clientOf({ servers: name, reconnect: { initialDelay: 5, maxDelay: 20 } });
    const heard: string[] = [];
    client.status.subscribe((status) => heard.push(status));
    client.on('connect', (server) => heard.push(`connect ${server}`));
    client.on('disconnect', (server, reason) => heard.push(`disconnect ${server}: ${reason?.name}`));
    await client.connect();
    await first.kill();
    await until('it has noticed', () => heard.includes('reconnecting'));
    const waiting = firstValueFrom(client.emit('f', 0)) as Promise<JobIdentity>;
    await startGearmand([], port);
    await expect(waiting).resolves.toEqual({ handle: expect.stringMatching(/^H:/), server: name });
    await client.close();
    expect(heard).toEqual([
      'connected',
      `connect ${name}`,
      'disconnected',
      `disconnect ${name}: ConnectionLostError`,
      'reconnecting',
      'connected',
      `connect ${name}`,
      'disconnected',
    ]);
  });
});
