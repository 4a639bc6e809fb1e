import type { Engine } from '../engine/index.js';
import type { Session, Traffic } from '../front/index.js';
import { PacketType } from '../../protocol/index.js';
import type { MetricSet } from '../../telemetry/metrics/index.js';

/** Adds the metrics of a job server's connections: how many are open, and what went through all there have been. */
export function tellConnections(set: MetricSet, engine: Engine, sessions: Iterable<Session>, traffic: Traffic): void {
  const open = openOnes(sessions);
  set.add('connections', open.count);
  set.add('workers_connected', open.workers);
  set.add('clients_waiting', engine.waitCount);
  set.add('connections_opened_total', traffic.opened);
  for (const [reason, count] of Object.entries(traffic.closed)) set.add('connections_closed_total', count, { reason });
  for (const [reason, count] of Object.entries(traffic.refused)) {
    set.add('connections_refused_total', count, { reason });
  }
  set.add('received_bytes_total', traffic.receivedBytes + open.receivedBytes);
  set.add('sent_bytes_total', traffic.sentBytes + open.sentBytes);
  for (const [type, count] of traffic.packets.entries()) {
    if (count > 0) set.add('packets_received_total', count, { type: PACKET_NAMES[type] ?? String(type) });
  }
  for (const [code, count] of traffic.errors) set.add('errors_sent_total', count, { code });
  for (const [action, count] of traffic.denied) set.add('access_denied_total', count, { action });
}

const PACKET_NAMES: readonly (string | undefined)[] = Object.entries(PacketType).reduce<string[]>(
  (names, [name, number]) => {
    names[number] = name;
    return names;
  },
  [],
);

function openOnes(sessions: Iterable<Session>): Record<'count' | 'workers' | 'receivedBytes' | 'sentBytes', number> {
  const open = { count: 0, workers: 0, receivedBytes: 0, sentBytes: 0 };
  for (const { peer, connection } of sessions) {
    open.count++;
    if (peer.abilities.size > 0) open.workers++;
    open.receivedBytes += connection.bytesReceived;
    open.sentBytes += connection.bytesSent;
  }
  return open;
}
