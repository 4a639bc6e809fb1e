import { useSignal } from '@preact/signals';
import { ask } from '../state/api.js';
import { duration, many } from '../state/numbers.js';
import { go, linkTo } from '../state/route.js';
import { Action, reasonNotTo } from '../ui/action.js';
import { confirmFirst, FormDialog, perform } from '../ui/dialog.js';
import { usePageKeys } from '../ui/keys.js';
import { FunctionName, Text } from '../ui/names.js';
import { Empty, Failure, Loading, Stale } from '../ui/states.js';
import { Table, type TableColumn } from '../ui/table.js';
import { useAnswer } from '../ui/use-answer.js';
import { When } from '../ui/when.js';

/** A recurring job. */
interface Schedule {
  readonly id: string;
  readonly source: 'options' | 'decorator' | 'crontab' | 'put';
  readonly lastTick?: string;
  readonly nextTick?: string;
  readonly isPaused: boolean;
  readonly problem?: string;
  readonly options: {
    readonly function: string;
    readonly cron?: string;
    readonly every?: number;
    readonly timeZone?: string;
  };
}

/** The page of recurring jobs: when each is due, and what can be done. */
export function SchedulesPage() {
  const { data, error, again } = useAnswer<{ schedules: readonly Schedule[] }>('schedules', {}, 5_000);
  const isNew = useSignal(false);
  const add = (): void => {
    if (reasonNotTo('operate', true) === undefined) isNew.value = true;
  };
  usePageKeys({ n: { does: 'New schedule', run: add } });
  if (!data) return error ? <Failure error={error} onRetry={again} /> : <Loading what="schedules" />;
  return (
    <>
      <h1 class="unseen">Schedules</h1>
      <div class="bar">
        <span class="faint">{many(data.schedules.length, 'schedule')}</span>
        <span class="actions">
          <Action label="New schedule…" role="operate" hotkey="n" isOnlyHere run={add} />
        </span>
      </div>
      <Stale error={error} onRetry={again} />
      {data.schedules.length === 0 ? (
        <Empty title="Nothing recurs">
          <p>Schedules are declared in the app (@GearmanSchedule), in a crontab (--crontab FILE), or put here.</p>
        </Empty>
      ) : (
        <Table name="schedules" rows={data.schedules} columns={columnsOf(again)} keyOf={({ id }) => id} />
      )}
      {isNew.value && <NewSchedule onClose={() => (isNew.value = false)} again={again} />}
    </>
  );
}

function columnsOf(again: () => void): readonly TableColumn<Schedule>[] {
  return [
    {
      id: 'name',
      title: 'Schedule',
      cell: ({ id, isPaused, problem }) => (
        <>
          <Text of={id} class="name" />
          {isPaused && <span class="badge warn">paused</span>}
          {problem !== undefined && (
            <span class="badge bad" title={problem}>
              cannot run
            </span>
          )}
        </>
      ),
    },
    { id: 'does', title: 'Function', cell: ({ options }) => <FunctionName name={options.function} /> },
    {
      id: 'when',
      title: 'When',
      cell: ({ options: { cron, every, timeZone } }) => (
        <span title={timeZone}>
          {cron !== undefined ? <code>{cron}</code> : `every ${duration(every ?? 0)}`}
          {cron !== undefined && <span class="faint"> {timeZone ?? 'UTC'}</span>}
        </span>
      ),
    },
    { id: 'next', title: 'Next', isNumber: true, cell: ({ nextTick }) => <When at={nextTick} else="never" /> },
    {
      id: 'last',
      title: 'Last',
      hint: 'the last tick that fired or was passed over, or when the schedule began',
      isNumber: true,
      cell: ({ lastTick }) => <When at={lastTick} else="not yet" />,
    },
    { id: 'source', title: 'From', cell: ({ source }) => source },
    { id: 'acts', title: '', cell: (schedule) => <Acts of={schedule} again={again} /> },
  ];
}

function Acts({ of: { id, isPaused, source, options }, again }: { readonly of: Schedule; again: () => void }) {
  const path = `schedules/${encodeURIComponent(id)}`;
  const act = (method: string, way: string, told: string): void =>
    void perform(async () => {
      await ask(method, `${path}${way}`);
      again();
      return told;
    });
  return (
    <span class="actions">
      <Action
        label="Run now"
        role="operate"
        run={() =>
          void perform(async () => {
            const { handle } = await ask<{ handle: string }>('POST', `${path}/run`);
            go(linkTo('jobs', handle));
            return `Submitted ${handle} to ${options.function}`;
          })
        }
      />
      <Action
        label={isPaused ? 'Resume' : 'Pause'}
        role="operate"
        run={() => (isPaused ? act('POST', '/resume', `${id} is resumed`) : act('POST', '/pause', `${id} is paused`))}
      />
      <Action
        label="Drop…"
        role="operate"
        isDestructive
        whyNot={source === 'put' ? undefined : `It is declared by ${source}: drop it there.`}
        run={() =>
          confirmFirst({
            title: `Drop the schedule ${id}?`,
            text: 'It submits nothing any more. Jobs that it has submitted stay.',
            yes: 'Drop it',
            act: async () => {
              await ask('DELETE', path);
              again();
              return `${id} is dropped`;
            },
          })
        }
      />
    </span>
  );
}

function NewSchedule({ onClose, again }: { onClose(): void; again(): void }) {
  const id = useSignal('');
  const name = useSignal('');
  const when = useSignal('0 3 * * *');
  const zone = useSignal(Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC');
  const workload = useSignal('');
  const put = (): void => {
    const json = { function: name.value, cron: when.value, timeZone: zone.value, workload: workload.value };
    void perform(async () => {
      await ask('PUT', `schedules/${encodeURIComponent(id.value)}`, { json });
      onClose();
      again();
      return `${id.value} is put`;
    });
  };
  return (
    <FormDialog title="New schedule" yes="Put the schedule" onClose={onClose} onSubmit={put}>
      <label>
        Its name, without blanks
        <input required maxLength={40} pattern="\S+" value={id.value} onInput={take(id)} />
      </label>
      <label>
        Function
        <input required value={name.value} onInput={take(name)} />
      </label>
      <label>
        When, as in a crontab: minute, hour, day, month, weekday
        <input required class="mono" value={when.value} onInput={take(when)} />
      </label>
      <label>
        Time zone
        <input required value={zone.value} onInput={take(zone)} />
      </label>
      <label>
        Workload, as text
        <textarea rows={3} value={workload.value} onInput={take(workload)} />
      </label>
    </FormDialog>
  );
}

function take(field: { value: string }) {
  return (event: { readonly currentTarget: HTMLInputElement | HTMLTextAreaElement }): void => {
    field.value = event.currentTarget.value;
  };
}
