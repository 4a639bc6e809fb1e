import { ask, follow } from '../state/api.js';
import { isRemote } from '../state/me.js';
import { count, many } from '../state/numbers.js';
import { readable } from '../state/readable.js';
import { go, linkTo, route, setQuery } from '../state/route.js';
import { Action, reasonNotTo } from '../ui/action.js';
import { confirmFirst, tellProgress } from '../ui/dialog.js';
import { usePageKeys } from '../ui/keys.js';
import { FunctionName, Text } from '../ui/names.js';
import { oneByOne } from '../ui/one-by-one.js';
import { SearchField } from '../ui/search-field.js';
import { Empty, Failure, Loading, Stale } from '../ui/states.js';
import { Table, type TableColumn } from '../ui/table.js';
import { useAnswer } from '../ui/use-answer.js';
import { When } from '../ui/when.js';

/** A background job that failed for good. */
export interface DeadLetter {
  readonly handle: string;
  readonly function: string;
  readonly unique: string | null;
  readonly attempts: number;
  readonly losses: number;
  readonly error: string;
  readonly diedAt: string;
}

/** Dead letters of one function that failed for the same reason, whatever numbers were in it. */
interface Reason {
  readonly function: string;
  readonly reason: string;
  readonly count: number;
  readonly lastDiedAt: string;
}

interface Found {
  readonly reasons: readonly Reason[];
  readonly total: number;
}

interface Page {
  readonly deadLetters: readonly DeadLetter[];
  readonly next?: string;
}

/** Chooses dead letters. */
interface Choice {
  readonly function?: string;
  readonly q?: string;
  readonly reason?: string;
}

type Verb = 'replay' | 'purge';

/** How many letters of a reason are shown. */
const PAGE = 1_000;

/** The page of dead letters: by function and reason, to be replayed or purged. */
export function DeadLettersPage() {
  const { query } = route.value;
  const words = query.get('q') ?? '';
  const name = query.get('function') ?? '';
  const choice = { ...(words && { q: words }), ...(name && { function: name }) };
  const { data, error, again } = useAnswer<Found>('dead-letters/reasons', choice, 5_000);
  const total = data?.total ?? 0;
  const opened = openedOf(data);
  const close = (): void => go(linkTo('dead-letters', '', { q: words, function: name }));

  const actOnAll = (verb: Verb): void => {
    if (reasonNotTo('operate') !== undefined || total === 0) return;
    if (opened) return opened.count > 0 ? actOnReason(verb, opened) : undefined;
    const of = [name && `of ${readable(name)}`, words && `with ${readable(words)}`].filter(Boolean).join(' ');
    actOnMany(verb, total, of, choice, again);
  };
  const actOnReason = (verb: Verb, { function: of, reason, count: number }: Reason): void =>
    actOnMany(verb, number, `of ${readable(of)}`, { ...choice, function: of, reason }, again);
  usePageKeys({
    r: { does: opened ? 'Replay all of this reason' : 'Replay all that match', run: () => actOnAll('replay') },
    Escape: { does: 'Back to the reasons', run: close },
  });

  if (!data) return error ? <Failure error={error} onRetry={again} /> : <Loading what="dead letters" />;
  return (
    <>
      <h1 class="unseen">Dead letters</h1>
      <div class="bar">
        <SearchField
          label="Dead letters whose error has"
          placeholder="Words in the error"
          value={words}
          delay={300}
          onChange={(q) => setQuery({ q })}
        />
        {name !== '' && (
          <span>
            of <Text of={name} />{' '}
            <button class="plain" onClick={() => setQuery({ function: undefined })}>
              Of all functions
            </button>
          </span>
        )}
        <span class="faint">
          {many(total, 'dead letter')}, {many(data.reasons.length, 'reason')}
        </span>
        <span class="actions">
          <Action label="Replay all…" role="operate" hotkey="r" whyNot={none(total)} run={() => actOnAll('replay')} />
          <Action label="Purge all…" role="operate" isDestructive whyNot={none(total)} run={() => actOnAll('purge')} />
        </span>
      </div>
      <Stale error={error} onRetry={again} />
      {total === 0 ? (
        <Empty title={words || name ? 'No dead letter matches' : 'No dead letters'}>
          <p>
            Background jobs that fail for good are kept here where the job server has a storage and a retry policy that
            buries them.
          </p>
        </Empty>
      ) : opened ? (
        <Letters of={opened} words={words} onClose={close} />
      ) : (
        <Table
          name="reasons"
          rows={data.reasons}
          columns={reasonColumns(actOnReason)}
          keyOf={({ function: of, reason }) => JSON.stringify([of, reason])}
          linkOf={linkToReason}
        />
      )}
    </>
  );
}

/** The reason that the address names; undefined if it has no letters any more. */
function openedOf(found: Found | undefined): Reason | undefined {
  const { query } = route.value;
  const of = query.get('of');
  const reason = query.get('reason') ?? '';
  if (of === null) return undefined;
  const known = found?.reasons.find((each) => each.function === of && each.reason === reason);
  return known ?? { function: of, reason, count: 0, lastDiedAt: '' };
}

function linkToReason({ function: of, reason }: Reason): string {
  const { query } = route.value;
  const choice = { q: query.get('q') ?? '', function: query.get('function') ?? '' };
  return linkTo('dead-letters', '', { ...choice, of, reason });
}

interface LettersProps {
  readonly of: Reason;
  readonly words: string;
  onClose(): void;
}

/** The letters that failed for one reason. */
function Letters({ of, words, onClose }: LettersProps) {
  const asked = { limit: PAGE, function: of.function, reason: of.reason, ...(words && { q: words }) };
  const { data, error, again } = useAnswer<Page>('dead-letters', asked, 5_000);
  const shown = data?.deadLetters ?? [];
  return (
    <>
      <p>
        <button onClick={onClose}>← All reasons</button> <FunctionName name={of.function} /> <Text of={of.reason} />{' '}
        {data?.next !== undefined && <span class="faint">the {count(shown.length)} that are dead for longest</span>}
      </p>
      {!data && (error ? <Failure error={error} onRetry={again} /> : <Loading what="dead letters" />)}
      {data && shown.length === 0 && <Empty title="None is left of this reason" />}
      {shown.length > 0 && (
        <Table
          name="letters"
          rows={shown}
          columns={letterColumns(again)}
          keyOf={({ handle }) => handle}
          linkOf={({ handle }) => linkTo('jobs', handle)}
        />
      )}
    </>
  );
}

const titles = { replay: 'Replay', purge: 'Purge' } as const;
const going = { replay: 'Replayed', purge: 'Purged' } as const;
const past = { replay: 'wait again', purge: 'are gone' } as const;
const explained = {
  replay: 'They wait for a worker again, with all their tries.',
  purge: 'They and their workloads are gone then. This cannot be taken back.',
} as const;

function actOnMany(verb: Verb, number: number, of: string, choice: Choice, again: () => void): void {
  confirmFirst({
    title: `${titles[verb]} ${many(number, 'dead letter')}${of && ` ${of}`}?`,
    text: explained[verb],
    yes: `${titles[verb]} ${count(number)}`,
    isDestructive: verb === 'purge',
    act: async () => {
      if (isRemote.value) return actOnEach(verb, choice, again);
      const { done, failed } = await actAndTell(verb, choice);
      again();
      return `${many(done, 'dead letter')} ${past[verb]}${failed > 0 ? `, ${count(failed)} not: another job has its unique` : ''}`;
    },
  });
}

/** How many of all chosen letters are done. */
interface Progress {
  readonly matched: number;
  readonly done: number;
  readonly failed: number;
}

/** How often progress is shown, in milliseconds; a screen reader reads it aloud each time. */
const TOLD_EVERY = 250;

/** Acts on all chosen letters, and shows the progress. */
async function actAndTell(verb: Verb, choice: Choice): Promise<Progress> {
  let last: Progress = { matched: 0, done: 0, failed: 0 };
  let toldAt = -Infinity;
  for await (const { event, data } of follow<Progress>('POST', `dead-letters/${verb}`, { json: choice })) {
    last = data;
    if (event !== 'progress' || performance.now() - toldAt < TOLD_EVERY) continue;
    toldAt = performance.now();
    tellProgress(`${going[verb]} ${count(data.done)} of ${many(data.matched, 'dead letter')}…`);
  }
  return last;
}

/** Acts on letters one by one, for a job server elsewhere. */
async function actOnEach(verb: Verb, choice: Choice, again: () => void): Promise<string> {
  const { deadLetters } = await ask<Page>('GET', 'dead-letters', { query: { ...choice, limit: PAGE } });
  const done = await oneByOne(deadLetters, ({ handle }) => actOn(verb, handle));
  again();
  return `${many(done, 'dead letter')} ${past[verb]}`;
}

function actOn(verb: Verb, handle: string): Promise<unknown> {
  const path = `dead-letters/${encodeURIComponent(handle)}`;
  return verb === 'replay' ? ask('POST', `${path}/replay`) : ask('DELETE', path);
}

function actOnOne(verb: Verb, { handle, function: name }: DeadLetter, again: () => void): void {
  confirmFirst({
    title: `${titles[verb]} ${handle} of ${readable(name)}?`,
    text: explained[verb],
    yes: titles[verb],
    isDestructive: verb === 'purge',
    act: async () => {
      await actOn(verb, handle);
      again();
      return `${many(1, 'dead letter')} ${verb === 'replay' ? 'waits again' : 'is gone'}`;
    },
  });
}

function reasonColumns(act: (verb: Verb, reason: Reason) => void): readonly TableColumn<Reason>[] {
  return [
    { id: 'name', title: 'Function', cell: (row) => <FunctionName name={row.function} /> },
    {
      id: 'error',
      title: 'Why',
      cell: (row) => (
        <a class="name" href={linkToReason(row)}>
          <Text of={row.reason || '(not said)'} />
        </a>
      ),
    },
    { id: 'number', title: 'How many', isNumber: true, cell: (row) => <b>{count(row.count)}</b> },
    { id: 'last', title: 'Last', isNumber: true, cell: (row) => <When at={row.lastDiedAt} /> },
    {
      id: 'acts',
      title: '',
      cell: (row) => (
        <span class="actions">
          <Action label="Replay…" role="operate" run={() => act('replay', row)} />
          <Action label="Purge…" role="operate" isDestructive run={() => act('purge', row)} />
        </span>
      ),
    },
  ];
}

function letterColumns(again: () => void): readonly TableColumn<DeadLetter>[] {
  return [
    {
      id: 'handle',
      title: 'Handle',
      cell: ({ handle }) => (
        <a class="mono" href={linkTo('jobs', handle)}>
          <Text of={handle} />
        </a>
      ),
    },
    { id: 'error', title: 'Why', cell: ({ error }) => <Text of={error} /> },
    {
      id: 'attempts',
      title: 'Tries',
      isNumber: true,
      cell: ({ attempts, losses }) => count(attempts + losses),
    },
    { id: 'last', title: 'Died', isNumber: true, cell: ({ diedAt }) => <When at={diedAt} /> },
    {
      id: 'acts',
      title: '',
      cell: (letter) => (
        <span class="actions">
          <Action label="Replay…" role="operate" run={() => actOnOne('replay', letter, again)} />
          <Action label="Purge…" role="operate" isDestructive run={() => actOnOne('purge', letter, again)} />
        </span>
      ),
    },
  ];
}

function none(total: number): string | undefined {
  return total === 0 ? 'There is none.' : undefined;
}
