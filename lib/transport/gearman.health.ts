/** The state of a strategy or a client. */
export interface GearmanHealth {
  /** The names of the job servers that are connected. */
  readonly servers: readonly string[];
  /** The names of the job servers that are not connected: lost, or never reached. */
  readonly away: readonly string[];
  /** How many functions are served; only for a strategy. */
  readonly functions?: number;
  /** How many jobs run; only for a strategy. */
  readonly runningJobs?: number;
}

/** A strategy or a client, whose health can be asked for. */
export interface HealthSource {
  health(): GearmanHealth;
  /** Only a client has it: a client connects when it is first needed, and a question for its health counts as that. */
  connect?(): Promise<void>;
}

/** The result of a health indicator, as `@nestjs/terminus` expects it. */
export type GearmanHealthResult<Key extends string = string> = Record<
  Key,
  { status: 'up' | 'down'; message?: string } & Partial<GearmanHealth>
>;

/**
 * A health indicator for `@nestjs/terminus`, which it does not need:
 *
 * ```ts
 * const gearman = new GearmanHealthIndicator(strategy, client);
 * health.check([() => gearman.check()]); // { gearman: { status: 'up', servers: ['jobs:4730'], away: [] } }
 * ```
 *
 * It is up when each of its sources is connected to at least one job server: the
 * source goes on trying to reach the others, and their jobs go to the connected
 * one. A client that nobody has used yet connects, which may take its
 * `connectTimeout`.
 */
export class GearmanHealthIndicator {
  private readonly sources: readonly HealthSource[];

  constructor(...sources: HealthSource[]) {
    this.sources = sources;
  }

  /** The state now; never rejects. `key` is its name in the answer. */
  async check<Key extends string = 'gearman'>(key = 'gearman' as Key): Promise<GearmanHealthResult<Key>> {
    await Promise.allSettled(this.sources.map(async (source) => source.connect?.()));
    const states = this.sources.map((source) => source.health());
    const isUp = states.every(({ servers }) => servers.length > 0);
    const state = {
      ...(isUp ? { status: 'up' as const } : { status: 'down' as const, message: 'not connected to any job server' }),
      ...summarize(states),
    };
    return { [key]: state } as GearmanHealthResult<Key>;
  }
}

function summarize(states: readonly GearmanHealth[]): GearmanHealth {
  const workers = states.filter(({ functions }) => functions !== undefined);
  const servers = union(states.map((state) => state.servers));
  const away = union(states.map((state) => state.away));
  if (workers.length === 0) return { servers, away };
  return {
    servers,
    away,
    functions: workers.reduce((sum, { functions = 0 }) => sum + functions, 0),
    runningJobs: workers.reduce((sum, { runningJobs = 0 }) => sum + runningJobs, 0),
  };
}

function union(lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())];
}

/** The job servers of a client or worker: those that are connected, and those that are not. */
export function serversOf({
  servers,
  connectedServers,
}: {
  readonly servers: readonly string[];
  readonly connectedServers: readonly string[];
}): Pick<GearmanHealth, 'servers' | 'away'> {
  return { servers: connectedServers, away: servers.filter((name) => !connectedServers.includes(name)) };
}
