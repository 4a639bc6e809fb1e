import { useSignal } from '@preact/signals';
import { ask } from '../state/api.js';
import { changes, functionNamed, isComplete, now } from '../state/feed.js';
import { isRemote, may } from '../state/me.js';
import { age, count, many, rate } from '../state/numbers.js';
import { linkTo, route } from '../state/route.js';
import { bytesOf64, readableName } from '../state/readable.js';
import { Action, reasonNotTo } from '../ui/action.js';
import { confirmFirst, FormDialog, perform } from '../ui/dialog.js';
import { Facts } from '../ui/facts.js';
import { HistoryPlots } from '../ui/history-plots.js';
import { usePageKeys } from '../ui/keys.js';
import { functionQuery, Text } from '../ui/names.js';
import { Empty, Loading } from '../ui/states.js';
import { submitTo } from '../ui/submit-dialog.js';
import { useAnswer } from '../ui/use-answer.js';
import { Age, When } from '../ui/when.js';
import { Badge } from './functions.js';
import { type Worker } from './workers.js';

interface Limits {
  readonly high: number;
  readonly normal: number;
  readonly low: number;
}

interface RecentJob {
  readonly handle: string;
  readonly endedAt: string;
  readonly ranSeconds?: number;
  readonly worker?: string;
  readonly error?: { readonly text?: string; readonly base64?: string };
}

/** The page of one function: how it goes, its workers, its failures, and what can be done. */
export function FunctionPage() {
  const { query } = route.value;
  const name64 = query.get('name64') ?? undefined;
  const name = name64 === undefined ? (query.get('name') ?? '') : new TextDecoder().decode(bytesOf64(name64));
  const which = { name, name64 };
  const asked = functionQuery(which);
  const { data, error, again } = useAnswer<{ limits: Limits | null }>('functions/-', asked, 10_000);
  const isLimiting = useSignal(false);
  void changes.value;
  const row = functionNamed(name, name64);
  const isPaused = row?.get('paused') === 1;
  const label = readableName(name, name64);

  const pause = (): void => {
    if (reasonNotTo('operate') !== undefined) return;
    const word = isPaused ? 'resume' : 'pause';
    void perform(async () => {
      await ask('POST', `functions/-/${word}`, { query: asked });
      return isPaused ? `${label} is resumed` : `${label} is paused: its jobs wait`;
    });
  };
  const purge = (): void => {
    const waiting = row?.waiting ?? 0;
    confirmFirst({
      title: `Cancel all jobs of ${label} that wait?`,
      text: `${many(waiting, 'job')} now, and what comes until then. What runs goes on. This cannot be taken back.`,
      yes: `Cancel ${many(waiting, 'job')}`,
      act: async () => {
        const { purged } = await ask<{ purged: number }>('DELETE', 'functions/-/jobs', { query: asked });
        return `${many(purged, 'job')} cancelled`;
      },
    });
  };
  const submit = (): void => {
    if (reasonNotTo('submit') === undefined) submitTo(which);
  };
  usePageKeys({
    p: { does: isPaused ? 'Resume the function' : 'Pause the function', run: pause },
    s: { does: 'Submit a job', run: submit },
  });

  if (!row && !isComplete.value) return <Loading what="the function" />;
  if (!row && error) {
    return (
      <Empty title="There is no such function now">
        <p>
          <Text of={label} /> is there again once a worker registers it or a job comes.
        </p>
        <a href={linkTo('functions')}>All functions</a>
      </Empty>
    );
  }
  // A quoted name cannot contain quotes.
  const isPlain = name64 === undefined && !name.includes('"');
  const quoted = isPlain ? `function:"${name}"` : `function64:${asked.function64}`;
  return (
    <>
      <header class="page">
        <h1>
          <bdi>{label}</bdi> {row?.trouble && <Badge of={row.trouble} />}
        </h1>
        <span class="actions">
          <Action label={isPaused ? 'Resume' : 'Pause'} role="operate" hotkey="p" run={pause} />
          <Action label="Limits…" role="operate" run={() => (isLimiting.value = true)} />
          <Action label="Submit a job…" role="submit" hotkey="s" run={submit} />
          <Action
            label="Purge…"
            role="operate"
            isDestructive
            isOnlyHere
            whyNot={row?.waiting === 0 ? 'Nothing waits.' : undefined}
            run={purge}
          />
        </span>
      </header>
      {row && (
        <Facts
          of={[
            ['waiting', <b>{count(row.waiting)}</b>],
            [
              'high · normal · low',
              `${count(row.get('high'))} · ${count(row.get('normal'))} · ${count(row.get('low'))}`,
            ],
            ['delayed', count(row.get('delayed'))],
            ['running', <b>{count(row.get('running'))}</b>],
            ['workers', count(row.get('workers'))],
            ['oldest waits', row.get('oldestAt') ? age(now() - row.get('oldestAt')!) : '–'],
            ['longest runs', row.get('longestAt') ? age(now() - row.get('longestAt')!) : '–'],
            ['in · done', `${rate(row.inPerSecond(now())) || 0}/s · ${rate(row.donePerSecond(now())) || 0}/s`],
            ['failed, last minute', count(row.failedLately(now()))],
            ['dead letters', count(row.get('dead'))],
            ['limits', limitsText(data?.limits)],
          ]}
        />
      )}
      {!isRemote.value && <HistoryPlots of={asked} />}
      <p class="links">
        <a href={linkTo('jobs', '', { q: quoted })}>Its jobs</a>
        <a href={linkTo('jobs', '', { q: `${quoted} state:running` })}>What runs</a>
        <a href={linkTo('dead-letters', '', { function: name })}>Its dead letters</a>
      </p>
      <div class="halves">
        <WorkersOf name={name} />
        <FailedOf name={name} />
      </div>
      {isLimiting.value && (
        <LimitsDialog
          label={label}
          limits={data?.limits ?? { high: 0, normal: 0, low: 0 }}
          onClose={() => (isLimiting.value = false)}
          onSet={async (json) => {
            await ask('PUT', 'functions/-/limits', { query: asked, json });
            again();
            return `Limits of ${label}: ${limitsText(json)}`;
          }}
        />
      )}
    </>
  );
}

function WorkersOf({ name }: { readonly name: string }) {
  const { data } = useAnswer<{ workers: readonly Worker[] }>('workers', {}, 2_000);
  const workers = (data?.workers ?? []).filter(({ functions }) => functions.includes(name));
  return (
    <section class="card">
      <h2>Workers</h2>
      {workers.length === 0 ? (
        <p class="faint">{data ? 'Nobody does this function now.' : 'Loading…'}</p>
      ) : (
        <ul class="lines">
          {workers.slice(0, 100).map((worker) => (
            <li key={worker.id}>
              <a href={linkTo('workers', '', { q: worker.clientId })}>
                <Text of={worker.clientId === '-' ? worker.address : worker.clientId} />
              </a>
              {worker.isQuiet && <span class="badge warn">quiet</span>}
              <span class="faint end">
                {count(worker.running)} running
                {worker.jobs?.[0] && (
                  <>
                    , the longest <Age since={worker.jobs[0].startedAt} />
                  </>
                )}{' '}
                · {count(worker.done)} done
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function FailedOf({ name }: { readonly name: string }) {
  const path = isRemote.value ? undefined : 'history/jobs';
  const { data } = useAnswer<{ jobs: readonly RecentJob[] }>(path, { function: name, limit: 12 }, 5_000);
  return (
    <section class="card">
      <h2>Failed lately</h2>
      {data && data.jobs.length > 0 ? (
        <ul class="lines">
          {data.jobs.map((job) => (
            <li key={`${job.handle} ${job.endedAt}`}>
              <a class="mono" href={linkTo('jobs', job.handle)}>
                {job.handle.split(':').at(-1)}
              </a>
              <Text of={job.error?.text ?? (may('inspect') ? '' : 'why: for the role inspect')} />
              <span class="faint end">
                <When at={job.endedAt} />
              </span>
            </li>
          ))}
        </ul>
      ) : (
        <p class="faint">{data ? 'Nothing, as far as is remembered.' : isRemote.value ? 'Not told.' : 'Loading…'}</p>
      )}
    </section>
  );
}

interface LimitsDialogProps {
  readonly label: string;
  readonly limits: Limits;
  onClose(): void;
  onSet(limits: Limits): Promise<string>;
}

function LimitsDialog({ label, limits, onClose, onSet }: LimitsDialogProps) {
  const wanted = useSignal({ ...limits });
  const set = (): void => {
    onClose();
    void perform(() => onSet(wanted.value));
  };
  return (
    <FormDialog title={`Limits of ${label}`} yes="Set limits" onClose={onClose} onSubmit={set}>
      <p class="faint">A submission is refused that finds so many jobs of the function. 0: any number.</p>
      {(['high', 'normal', 'low'] as const).map((priority) => (
        <label key={priority}>
          Priority {priority}
          <input
            type="number"
            min={0}
            step={1}
            required
            value={wanted.value[priority]}
            onInput={(event) => (wanted.value = { ...wanted.value, [priority]: Number(event.currentTarget.value) })}
          />
        </label>
      ))}
    </FormDialog>
  );
}

function limitsText(limits: Limits | null | undefined): string {
  if (limits === null || limits === undefined) return '–';
  const { high, normal, low } = limits;
  if (high + normal + low === 0) return 'none';
  if (high === normal && normal === low) return count(high);
  return [high, normal, low].map((limit) => (limit === 0 ? 'none' : count(limit))).join(' · ');
}
