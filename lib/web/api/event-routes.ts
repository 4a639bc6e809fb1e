import { Permission } from '../access/grant.js';
import { whenClosed } from '../http/connections.js';
import { EventStream } from '../http/event-stream.js';
import { COLUMNS } from '../live/function-rows.js';
import { LOOK_INTERVAL, type Viewer } from '../live/live.js';
import { invalid, Problem } from '../problem.js';
import { requireAllFunctions, requireConsent, requireRole, type AnyCall } from './call.js';
import type { Route } from './route.js';
import { EVENTS, problem } from './schemas.js';

const TOPICS = ['functions', 'server', 'jobs', 'workers', 'audit'] as const;
type Topic = (typeof TOPICS)[number];

/** The topics whose events are sent as they happen. */
const HAPPENING = [
  ['jobs', 'job'],
  ['workers', 'worker'],
  ['audit', 'audit'],
] as const;

/** How many patterns of functions a caller may give: each event of a job is compared with all of them. */
const MAX_PATTERNS = 100;

/** How many events of jobs and workers are sent in a second; of the rest only the number is sent. */
const MAX_A_SECOND = 200;

export const EVENT_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    template: '/v1/events',
    role: 'read',
    summary:
      'What changes, once a second: hello, functions, server; and as it happens, up to ' +
      `${MAX_A_SECOND} a second: job, worker, audit. Last-Event-ID goes on from there`,
    query: {
      topics: `which, with commas between: ${TOPICS.join(', ')} (which needs the role operate); default: functions,server`,
      function: `only these functions, \`*\` stands for any text; may be said up to ${MAX_PATTERNS} times`,
      lastEventId: 'as the header Last-Event-ID',
    },
    answers: { 200: EVENTS, 503: problem('Too many event streams are open') },
    run: events,
  },
];

export function events(call: AnyCall): void {
  const topics = topicsOf(call);
  if (call.query.getAll('function').length > MAX_PATTERNS) {
    throw invalid('function', `given at most ${MAX_PATTERNS} times`);
  }
  requireConsent(call, 'status');
  whenClosed(call.response, call.shared.streams.borrow());
  const stream = new ChangeStream(call, topics);
  whenClosed(call.response, call.source.live.join(stream.viewer()));
  call.gone.addEventListener('abort', () => stream.end(), { once: true });
}

function topicsOf(call: AnyCall): ReadonlySet<Topic> {
  const text = call.query.get('topics') ?? 'functions,server';
  const topics = new Set(text.split(',') as Topic[]);
  for (const topic of topics) if (!TOPICS.includes(topic)) throw invalid('topics', `some of ${TOPICS.join(', ')}`);
  for (const [topic, kind] of HAPPENING) {
    if (topics.has(topic) && !call.source.live.canTell(kind)) {
      throw new Problem(501, 'not-told', `A job server elsewhere does not tell ${topic} as they happen.`);
    }
  }
  if (topics.has('audit')) {
    requireRole(call, 'operate');
    requireAllFunctions(call);
  }
  return topics;
}

/** The stream to one caller. A caller who reads slowly gets updates less often, and fewer events. */
class ChangeStream {
  private readonly stream: EventStream;
  private readonly filter: Permission | undefined;
  /** The last look whose changes were all sent. */
  private told = 0;
  private isTelling = false;
  private lastState = '';
  private inSecond = 0;
  private missed = 0;

  constructor(
    private readonly call: AnyCall,
    private readonly topics: ReadonlySet<Topic>,
  ) {
    const { query, source, response, shared } = call;
    const patterns = query.getAll('function');
    this.filter = patterns.length > 0 ? new Permission({ role: 'read', functions: patterns }) : undefined;
    this.stream = new EventStream(response, shared.bodies.budget, shared.traffic);
    const { board, sight } = source.live;
    const resumed = lookOf(call, board.epoch);
    if (resumed !== undefined && board.remembers(resumed)) this.told = resumed;
    this.stream.send('hello', {
      server: source.name,
      version: sight.version ?? null,
      intervalSeconds: LOOK_INTERVAL / 1_000,
      epoch: sight.epoch,
      now: sight.now,
      at: new Date(),
      columns: COLUMNS,
      resumed: this.told > 0,
    });
  }

  /** What the caller wants to be told. */
  viewer(): Viewer {
    const { topics } = this;
    return {
      looked: () => void this.looked(),
      ...(topics.has('jobs') && {
        job: (happened, job, worker) => {
          if (!this.isWanted(job.function)) return;
          this.happened('job', () => ({
            happened,
            ...job,
            ...(worker && { worker: worker.clientId }),
            at: new Date(),
          }));
        },
      }),
      ...(topics.has('workers') && {
        worker: (happened, { clientId, functions }) => {
          const seen = functions.filter((name) => this.isWanted(name));
          // A worker that has left has no functions any more.
          if (seen.length === 0 && !this.call.permission.isForAll) return;
          this.happened('worker', () => ({ happened, clientId, functions: seen, at: new Date() }));
        },
      }),
      ...(topics.has('audit') && { audit: (event) => this.stream.send('audit', { ...event, at: new Date() }) }),
    };
  }

  end(): void {
    if (!this.stream.isOver) this.stream.end();
  }

  private isWanted(name: string): boolean {
    return this.call.permission.covers(name) && (this.filter?.covers(name) ?? true);
  }

  private happened(event: string, data: () => object): void {
    if (this.inSecond >= MAX_A_SECOND || this.stream.isSlow) {
      this.missed++;
      return;
    }
    this.inSecond++;
    this.stream.send(event, data());
  }

  private async looked(): Promise<void> {
    this.inSecond = 0;
    if (this.isTelling || this.stream.isOver) return;
    this.isTelling = true;
    await this.stream.keptUp();
    if (this.missed > 0) this.stream.send('missed', { count: this.missed });
    this.missed = 0;
    if (this.topics.has('server')) this.tellServer();
    if (this.topics.has('functions')) await this.tellFunctions();
    this.isTelling = false;
  }

  private tellServer(): void {
    const { state } = this.call.source.live;
    // The totals of all functions are not for a caller who may see only some.
    if (!state || !this.call.permission.isForAll) return;
    const json = JSON.stringify(state);
    if (json !== this.lastState) this.stream.sendJson('server', json);
    this.lastState = json;
  }

  /** Sends the functions in parts as they are read; only the last part has an id, which says that it was all. */
  private async tellFunctions(): Promise<void> {
    const { board } = this.call.source.live;
    const { looks } = board;
    if (looks === this.told) return;
    const isFirst = this.told === 0;
    let before = isFirst ? '{"reset":true,' : '{';
    let last: string | undefined;
    for (const piece of board.changes(this.told, (name) => this.isWanted(name))) {
      if (piece !== '') {
        if (last !== undefined) this.stream.sendJson('functions', `${before}${last},"more":true}`);
        if (last !== undefined) before = '{';
        last = piece;
      }
      await this.stream.keptUp();
      await new Promise(setImmediate);
      if (this.stream.isOver) return;
    }
    this.told = looks;
    const nothing = '"names":[],"rows":[],"gone":[]';
    if (last !== undefined || isFirst) {
      this.stream.sendJson('functions', `${before}${last ?? nothing}}`, `${board.epoch}.${looks}`);
    }
  }
}

/** The last look that the caller had seen when it lost its last stream. */
function lookOf({ request, query }: AnyCall, epoch: string): number | undefined {
  const header = request.headers['last-event-id'];
  const id = typeof header === 'string' ? header : query.get('lastEventId');
  const [known, look = ''] = (id ?? '').split('.');
  return known === epoch && /^\d{1,15}$/.test(look) ? Number(look) : undefined;
}
