import { useEffect, useErrorBoundary, useRef } from 'preact/hooks';
import { backlog, connection, isComplete, isFrozen, serverState } from '../state/feed.js';
import { me } from '../state/me.js';
import { count, duration, timeOfDay } from '../state/numbers.js';
import { go, linkTo, route, server } from '../state/route.js';
import { DeadLettersPage } from '../pages/dead-letters.js';
import { FunctionPage } from '../pages/function.js';
import { FunctionsPage } from '../pages/functions.js';
import { JobPage } from '../pages/job.js';
import { JobsListPage } from '../pages/jobs.js';
import { SchedulesPage } from '../pages/schedules.js';
import { ServerPage } from '../pages/server.js';
import { TailPage } from '../pages/tail.js';
import { WorkersPage } from '../pages/workers.js';
import { Conversation } from './dialog.js';
import { KeyHelp, openKeyHelp } from './keys.js';
import { DESTINATIONS } from './navigation.js';
import { Palette } from './palette.js';
import { Empty, Failure } from './states.js';
import { SubmitDialog } from './submit-dialog.js';
import { switchTheme, theme } from './theme.js';

const PAGES: Readonly<Record<string, () => preact.JSX.Element | null>> = {
  functions: FunctionsPage,
  function: FunctionPage,
  jobs: () => (route.value.id === '' ? <JobsListPage /> : <JobPage />),
  workers: WorkersPage,
  'dead-letters': DeadLettersPage,
  schedules: SchedulesPage,
  tail: TailPage,
  server: ServerPage,
};

/** The whole page: the part that is always visible, and the page that the address names. */
export function Shell() {
  const { page, id } = route.value;
  const [error, retry] = useErrorBoundary();
  // Whoever makes a link chooses the name, and every object has some names by itself.
  const Page = Object.hasOwn(PAGES, page) ? PAGES[page] : undefined;
  const above = useRef<HTMLDivElement>(null);
  // The heads of tables stay below the part that is always visible, however high that is.
  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => {
      document.documentElement.style.setProperty('--above', `${entry!.target.clientHeight}px`);
    });
    watcher.observe(above.current!);
    return () => watcher.disconnect();
  }, []);
  useEffect(() => {
    const title = DESTINATIONS.find((each) => each.page === page)?.title ?? page;
    document.title = `${id === '' ? title : id} · Gearman`;
    if (error !== undefined) retry();
    scrollTo(0, 0);
    document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [page, id]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => skip(event)}>
        Skip to the page
      </a>
      <div class="above" ref={above}>
        <header class="top">
          <span class="brand">Gearman</span>
          <nav aria-label="Pages">
            {DESTINATIONS.map((each) => (
              <a
                key={each.page}
                href={linkTo(each.page)}
                aria-current={
                  each.page === page || (page === 'function' && each.page === 'functions') ? 'page' : undefined
                }
              >
                {each.title}
              </a>
            ))}
          </nav>
          <ServerChoice />
          <Totals />
          <button class="plain" title="Light, dark, or as the system has it (t)" onClick={switchTheme}>
            {theme.value === 'system' ? '◐' : theme.value === 'light' ? '☀' : '☾'}
            <span class="unseen">Theme: {theme.value}</span>
          </button>
          <button class="plain keys" title="Keys (?)" onClick={openKeyHelp}>
            ?<span class="unseen"> Keys</span>
          </button>
        </header>
        <ConnectionState />
        <ServerTrouble />
      </div>
      <main id="main" tabIndex={-1}>
        {error !== undefined ? (
          <Failure error={error} onRetry={retry} />
        ) : Page ? (
          <Page key={`${page} ${id}`} />
        ) : (
          <Empty title="There is no such page">
            <a href={linkTo('functions')}>All functions</a>
          </Empty>
        )}
      </main>
      <SubmitDialog />
      <Conversation />
      <KeyHelp />
      <Palette />
    </>
  );
}

function ServerChoice() {
  const servers = me.value?.servers ?? [];
  if (servers.length < 2) return null;
  return (
    <select
      aria-label="Job server"
      value={server.value ?? servers[0]!.name}
      onChange={(event) => go(`#/functions?server=${encodeURIComponent(event.currentTarget.value)}`)}
    >
      {servers.map(({ name }) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Totals() {
  const { running, workers, clientsWaiting, eventLoopDelaySeconds, version } = serverState.value;
  const role = me.value?.role;
  return (
    <span class="totals">
      <Liveness />
      {isComplete.value && <Total name="waiting" value={count(backlog.value.waiting)} />}
      {running !== undefined && (
        <>
          <Total name="running" value={count(running)} />
          <Total name="workers" value={count(workers)} />
          <Total name="clients wait" value={count(clientsWaiting)} isMinor />
        </>
      )}
      {eventLoopDelaySeconds !== undefined && (
        <Total
          name="loop"
          value={duration(eventLoopDelaySeconds * 1_000)}
          isMinor
          isBad={eventLoopDelaySeconds > 0.1}
        />
      )}
      {version !== undefined && <Total name="version" value={version} isMinor />}
      {role !== undefined && role !== 'operate' && (
        <span class="badge" title="What you may do here; nothing can be changed with it">
          {role === 'submit' ? 'may submit' : 'read-only'}
        </span>
      )}
    </span>
  );
}

const LIVENESS = {
  connecting: 'Connecting to the job server',
  live: 'Connected: changes are seen within a second',
  paused: 'Frozen: what you see stands still',
  lost: 'The connection is lost',
} as const;

/** Whether what is shown is up to date. */
function Liveness() {
  const { state } = connection.value;
  return (
    <span class={`liveness ${state}`} role="img" aria-label={LIVENESS[state]} title={LIVENESS[state]}>
      <span class="minor">{state}</span>
    </span>
  );
}

interface TotalProps {
  readonly name: string;
  readonly value: string;
  readonly isMinor?: boolean;
  readonly isBad?: boolean;
}

function Total({ name, value, isMinor, isBad }: TotalProps) {
  return (
    <span class={`total${isMinor ? ' minor' : ''}${isBad ? ' bad' : ''}`}>
      <b>{value}</b> {name}
    </span>
  );
}

function ConnectionState() {
  const now = connection.value;
  if (isFrozen.value) {
    return (
      <p class="connection warn" role="status">
        Frozen: what you see stands still. <kbd>Space</kbd> goes on.
      </p>
    );
  }
  if (now.state !== 'lost') return null;
  const since = timeOfDay(new Date(now.since));
  return (
    <p class="connection bad" role="alert">
      <strong>Connection lost at {since}.</strong> {now.why} What you see is from then; it is tried again every 2
      seconds.
    </p>
  );
}

/** What is wrong with the job server itself. */
function ServerTrouble() {
  const { storageTrouble, trouble, isEnding } = serverState.value;
  return (
    <>
      {trouble !== undefined && (
        <p class="connection bad" role="alert">
          <strong>The job server does not answer.</strong> {trouble} What you see is what it told last.
        </p>
      )}
      {storageTrouble !== undefined && (
        <p class="connection bad" role="alert">
          <strong>Background jobs are refused.</strong> {storageTrouble}
        </p>
      )}
      {isEnding && (
        <p class="connection warn" role="status">
          <strong>The job server is ending.</strong> It finishes what runs, and takes nothing new.
        </p>
      )}
    </>
  );
}

function skip(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
