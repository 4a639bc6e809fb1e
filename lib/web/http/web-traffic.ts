import type { ServerResponse } from 'node:http';
import { Log2Histogram, MetricSet, type MetricFamily, type MetricSource } from '../../telemetry/metrics/index.js';
import { whenClosed } from './connections.js';

/** A route as metrics name it: its method and template, never the path, because callers can invent paths without end. */
interface RouteName {
  readonly method: string;
  readonly route: string;
}

/** The name for everything that is no route of the table. */
const OTHER: RouteName = { method: '_other', route: '_other' };

/** How many answers had which status, and how long they took, in milliseconds. */
interface Counts {
  readonly name: RouteName;
  readonly statuses: Map<string, number>;
  readonly times: Log2Histogram;
}

/** A request that is not counted yet. */
interface Asked {
  readonly at: number;
  counts: Counts;
}

/** Counts the requests of a web handler: plain numbers, for whoever wants to read them. */
export class WebTraffic implements MetricSource {
  private readonly routes = new Map<string, Counts>();
  private readonly asked = new Map<ServerResponse, Asked>();
  private eventStreams = 0;

  /** A request has come. */
  begin(response: ServerResponse): void {
    this.asked.set(response, { at: performance.now(), counts: this.countsOf(OTHER) });
    whenClosed(response, () => this.answered(response));
  }

  /** The request's route is known now. */
  routed(response: ServerResponse, method: string, route: string): void {
    const asked = this.asked.get(response);
    if (asked) asked.counts = this.countsOf({ method, route });
  }

  /** Its answer is an event stream, which may last for days, so it counts as answered now. */
  streams(response: ServerResponse): void {
    this.eventStreams++;
    whenClosed(response, () => this.eventStreams--);
    this.answered(response);
  }

  metrics(): MetricFamily[] {
    const set = new MetricSet('HTTP API');
    set.add('sse_clients', this.eventStreams);
    for (const { name, statuses, times } of this.routes.values()) {
      for (const [status, count] of statuses) set.add('http_requests_total', count, { ...name, status });
      if (statuses.size > 0) set.addHistogram('http_request_seconds', times.value(), { ...name });
    }
    return set.families();
  }

  private answered(response: ServerResponse): void {
    const asked = this.asked.get(response);
    if (!asked) return;
    this.asked.delete(response);
    const { statuses, times } = asked.counts;
    const status = response.headersSent ? String(response.statusCode) : 'none';
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    times.add(performance.now() - asked.at);
  }

  private countsOf(name: RouteName): Counts {
    const key = `${name.method} ${name.route}`;
    let counts = this.routes.get(key);
    if (!counts) this.routes.set(key, (counts = { name, statuses: new Map(), times: new Log2Histogram() }));
    return counts;
  }
}
