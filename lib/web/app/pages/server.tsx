import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { ask } from '../state/api.js';
import { dateThere, isFrozen, type ServerState } from '../state/feed.js';
import { me } from '../state/me.js';
import { age, count, duration, size } from '../state/numbers.js';
import { server } from '../state/route.js';
import { Facts } from '../ui/facts.js';
import { Failure, Loading } from '../ui/states.js';
import { Table, type TableColumn } from '../ui/table.js';
import { When } from '../ui/when.js';

/** What a job server tells about itself; less if it is elsewhere, or if the user may see only some functions. */
interface ServerInfo extends ServerState {
  readonly version: string;
  readonly eventStreams?: number;
  readonly startedAt?: string;
  readonly node?: string;
  readonly memoryBytes?: number;
  readonly cpuSeconds?: number;
  readonly listening?: readonly { readonly address: string; readonly certificateUntil?: string }[];
  readonly limits?: Readonly<Record<'maxConnections' | 'maxFunctions' | 'maxJobs' | 'maxPacketBytes', number>>;
  readonly storage?: StorageInfo;
}

interface StorageInfo {
  readonly kind: string;
  readonly bytes?: number;
  readonly freeBytes?: number;
  readonly backlog: number;
  readonly writes: number;
  readonly deadLetters?: number;
  readonly setAside: number;
}

/** The last answer, and how much counters grew a second since the answer before. */
interface Seen {
  readonly name: string;
  readonly at: number;
  readonly info?: ServerInfo;
  readonly error?: unknown;
  readonly cpu?: number;
  readonly writes?: number;
}

/** How often the job servers are asked, in milliseconds. */
const INTERVAL = 3_000;

/** Less room than this on a disk is shown as a warning, in bytes. */
const LITTLE_ROOM = 1e9;

/** A certificate that expires within this time is shown as a warning, in milliseconds. */
const SOON = 14 * 86_400_000;

/** The page of the job servers: their state, their load, and their settings. */
export function ServerPage() {
  const names = me.value?.servers.map(({ name }) => name) ?? [];
  const seen = useServers(names);
  const current = server.value ?? names[0];
  const shown = seen.find(({ name }) => name === current);
  return (
    <>
      <h1 class="unseen">Job servers</h1>
      {names.length > 1 && seen.length > 0 && (
        <Table
          name="servers"
          rows={seen}
          columns={COLUMNS}
          keyOf={({ name }) => name}
          linkOf={({ name }) => `#/server?server=${encodeURIComponent(name)}`}
          levelOf={({ error }) => (error === undefined ? undefined : 'bad')}
        />
      )}
      {shown?.info ? (
        <Details of={shown} info={shown.info} />
      ) : shown?.error !== undefined ? (
        <Failure error={shown.error} />
      ) : (
        <Loading what="the job server" />
      )}
    </>
  );
}

const COLUMNS: readonly TableColumn<Seen>[] = [
  {
    id: 'name',
    title: 'Job server',
    cell: ({ name, info, error }) => (
      <>
        <a class="name" href={`#/server?server=${encodeURIComponent(name)}`}>
          {name}
        </a>
        <State info={info} error={error} />
      </>
    ),
  },
  { id: 'version', title: 'Version', cell: ({ info }) => info?.version ?? '–' },
  { id: 'since', title: 'Up for', isNumber: true, cell: ({ info }) => upFor(info) },
  { id: 'memory', title: 'Memory', isNumber: true, cell: ({ info }) => size(info?.memoryBytes ?? null) },
  { id: 'jobs', title: 'Jobs', isNumber: true, cell: ({ info }) => count(info?.jobs) },
  { id: 'running', title: 'Running', isNumber: true, cell: ({ info }) => count(info?.running) },
  { id: 'workers', title: 'Workers', isNumber: true, cell: ({ info }) => count(info?.workers) },
  { id: 'storage', title: 'Storage', isNumber: true, cell: ({ info }) => size(info?.storage?.bytes ?? null) },
];

function State({ info, error }: { readonly info: ServerInfo | undefined; readonly error: unknown }) {
  if (error !== undefined) return <span class="badge bad">away</span>;
  if (info?.storageTrouble) return <span class="badge bad">storage</span>;
  if (info?.isEnding) return <span class="badge warn">ending</span>;
  return null;
}

function Details({ of: { cpu, writes }, info }: { readonly of: Seen; readonly info: ServerInfo }) {
  const { limits, listening, storage } = info;
  if (!limits) {
    return (
      <>
        <Facts of={[['version', info.version]]} />
        <p class="faint">Asked in Gearman’s own protocol, or by who may see some functions only, it tells no more.</p>
      </>
    );
  }
  return (
    <div class="halves">
      <Card title="Process">
        {[
          ['version', info.version],
          ['up for', <span title={info.startedAt}>{upFor(info)}</span>],
          ['Node.js', info.node],
          ['memory', size(info.memoryBytes ?? null)],
          ['processor', cpu === undefined ? '–' : `${Math.round(cpu * 100)} %`],
          ['event loop late by', duration((info.eventLoopDelaySeconds ?? 0) * 1_000)],
        ]}
      </Card>
      <StorageCard of={storage} trouble={info.storageTrouble} writes={writes} />
      <Card title="What it has, and may have">
        {[
          ['functions', ofAtMost(info.functions, limits.maxFunctions)],
          ['jobs in memory', ofAtMost(info.jobs, limits.maxJobs)],
          ['connections', ofAtMost(info.connections, limits.maxConnections)],
          ['workers', count(info.workers)],
          ['running', count(info.running)],
          ['clients that wait', count(info.clientsWaiting)],
          ['largest packet', size(limits.maxPacketBytes)],
          ['who look on', count(info.eventStreams)],
        ]}
      </Card>
      <section class="card">
        <h2>Listens on</h2>
        {listening?.length === 0 && <p class="faint">Nowhere: it is reached from its own process alone.</p>}
        <ul class="lines">
          {listening?.map(({ address, certificateUntil }) => (
            <li key={address}>
              <code>{address}</code>
              {certificateUntil && (
                <span class={`end ${Date.parse(certificateUntil) - dateThere() < SOON ? 'bad' : 'faint'}`}>
                  certificate ends <When at={certificateUntil} />
                </span>
              )}
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}

interface StorageCardProps {
  readonly of: StorageInfo | undefined;
  readonly trouble: string | undefined;
  readonly writes: number | undefined;
}

function StorageCard({ of: storage, trouble, writes }: StorageCardProps) {
  if (!storage) {
    return (
      <section class="card">
        <h2>Storage</h2>
        <p class="faint">None: background jobs are lost when it ends. To keep them: -q file --queue-path FOLDER.</p>
      </section>
    );
  }
  const { kind, bytes, freeBytes, backlog, deadLetters, setAside } = storage;
  return (
    <Card title="Storage" trouble={trouble}>
      {[
        ['kind', kind],
        ...(bytes === undefined ? [] : [['takes', size(bytes)] as const]),
        ...(freeBytes === undefined
          ? []
          : [
              [
                'its disk has left',
                <span class={freeBytes < LITTLE_ROOM ? 'bad' : ''}>{size(freeBytes)}</span>,
              ] as const,
            ]),
        ['writes a second', writes === undefined ? '–' : count(Math.round(writes))],
        ['changes not written yet', count(backlog)],
        ['dead letters', count(deadLetters)],
        ['records set aside', setAside > 0 ? <span class="bad">{count(setAside)}</span> : '0'],
      ]}
    </Card>
  );
}

interface CardProps {
  readonly title: string;
  readonly trouble?: string | undefined;
  readonly children: readonly (readonly [name: string, value: ComponentChildren])[];
}

function Card({ title, trouble, children }: CardProps) {
  return (
    <section class="card">
      <h2>{title}</h2>
      {trouble !== undefined && <p class="bad">{trouble}</p>}
      <Facts of={children} isPlain />
    </section>
  );
}

function upFor(info: ServerInfo | undefined): string {
  return info?.startedAt === undefined ? '–' : age(Math.max(0, dateThere() - Date.parse(info.startedAt)));
}

function ofAtMost(value: number | undefined, most: number): string {
  return most === 0 ? count(value) : `${count(value)} of ${count(most)}`;
}

/** Asks all job servers, again and again. */
function useServers(names: readonly string[]): readonly Seen[] {
  const seen = useSignal<readonly Seen[]>([]);
  const isStill = isFrozen.value;
  useEffect(() => {
    if (names.length === 0) return;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      if (!document.hidden) {
        const before = new Map(seen.peek().map((each) => [each.name, each]));
        const now = await Promise.all(names.map((name) => askOne(name, before.get(name), gone.signal)));
        if (!gone.signal.aborted) seen.value = now;
      }
      if (!gone.signal.aborted && !isStill) timer = setTimeout(() => void look(), INTERVAL);
    };
    void look();
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [names.join('\n'), isStill]);
  return seen.value;
}

async function askOne(name: string, before: Seen | undefined, signal: AbortSignal): Promise<Seen> {
  try {
    const info = await ask<ServerInfo>('GET', 'server', { query: { server: name }, signal });
    const at = performance.now();
    const rate = (now: number | undefined, then: number | undefined): number | undefined =>
      before && now !== undefined && then !== undefined ? ((now - then) * 1_000) / (at - before.at) : undefined;
    const cpu = rate(info.cpuSeconds, before?.info?.cpuSeconds);
    const writes = rate(info.storage?.writes, before?.info?.storage?.writes);
    return { name, at, info, ...(cpu !== undefined && { cpu }), ...(writes !== undefined && { writes }) };
  } catch (error) {
    return { name, at: performance.now(), error };
  }
}
