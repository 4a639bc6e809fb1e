import { afterEach, jest } from '@jest/globals';
import { JobClient, type JobClientOptions, type JobObserver, type JobRequest } from '../../../lib/driver/index.js';
import { FakeJobServer } from '../../support/fake-job-server.js';
import type { RawPeer } from '../../support/raw-peer.js';
import { turnsUntil } from '../../support/turns.js';

const clients: JobClient[] = [];
afterEach(async () => {
  jest.useRealTimers();
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

/** A client of fake job servers with these names. */
export function clientOf(names: string[], options: Omit<JobClientOptions, 'servers'> = {}) {
  const servers = names.map((name) => new FakeJobServer(name));
  const client = new JobClient({ servers, reconnect: { initialDelay: 1, maxDelay: 1 }, ...options });
  clients.push(client);
  return { client, servers, server: servers[0]! };
}

/** A client that is connected to one fake job server, and the other end. */
export async function connected(options: Omit<JobClientOptions, 'servers'> = {}, ...answers: string[]) {
  const { client, server } = clientOf(['a'], options);
  const connecting = client.connect();
  const { peer, packets } = await server.welcome(...answers);
  await connecting;
  return { client, server, peer, packets };
}

/** Clients connected to two fake job servers. */
export async function connectedToTwo(options: Omit<JobClientOptions, 'servers'> = {}) {
  const { client, servers } = clientOf(['a', 'b'], options);
  void client.connect();
  const [a, b] = await Promise.all(servers.map((server) => server.welcome()));
  await turnsUntil('both are connected', () => client.connectedServers.length === 2);
  return { client, servers, a: a!.peer, b: b!.peer };
}

export const job = (workload = 'x', more: Partial<JobRequest> = {}): JobRequest => ({
  function: 'reverse',
  workload: Buffer.from(workload),
  ...more,
});

/** An observer that writes down what it hears. */
export function recorder() {
  const heard: string[] = [];
  const observer: JobObserver = {
    created: ({ handle, server }) => heard.push(`created ${handle} on ${server}`),
    data: (bytes) => heard.push(`data ${bytes}`),
    warning: (bytes) => heard.push(`warning ${bytes}`),
    status: (numerator, denominator) => heard.push(`status ${numerator}/${denominator}`),
    complete: (result) => heard.push(`complete ${result}`),
    fail: (error) => heard.push(`fail ${error.code}: ${error.message}`),
  };
  return { heard, observer };
}

/** What the client has said so far: everything before an ECHO_REQ it is asked to send now. */
export async function said(client: JobClient, peer: RawPeer): Promise<string[]> {
  const echo = client.echo('sync');
  const packets: string[] = [];
  for (let packet = await peer.next(); packet !== 'ECHO_REQ sync'; packet = await peer.next()) packets.push(packet);
  peer.send('ECHO_RES sync');
  await echo;
  return packets;
}

/** Submits and records. */
export function submit(client: JobClient, request: JobRequest) {
  const { heard, observer } = recorder();
  return { heard, submission: client.submit(request, observer) };
}
