import { useSignal } from '@preact/signals';
import { ask } from '../state/api.js';
import { count, many } from '../state/numbers.js';
import { readable } from '../state/readable.js';
import { linkTo, route, setQuery } from '../state/route.js';
import { Action, reasonNotTo } from '../ui/action.js';
import { confirmFirst } from '../ui/dialog.js';
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

/** Dead letters of one function that failed for the same reason, but for numbers in it. */
interface Group {
  readonly key: string;
  readonly function: string;
  readonly error: string;
  readonly letters: readonly DeadLetter[];
  readonly last: string;
}

interface Page {
  readonly deadLetters: readonly DeadLetter[];
  readonly next?: string;
}

type Verb = 'replay' | 'purge';

/** So many are looked at, to be grouped. */
const PAGE = 1_000;

/** What failed for good: by function and reason, to be tried again or to be forgotten. */
export function DeadLettersPage() {
  const { query } = route.value;
  const words = query.get('q') ?? '';
  const name = query.get('function') ?? '';
  const asked = { limit: PAGE, ...(words && { q: words }), ...(name && { function: name }) };
  const { data, error, again } = useAnswer<Page>('dead-letters', asked, 5_000);
  const open = useSignal<string | undefined>(undefined);
  const groups = groupsOf(data?.deadLetters ?? []);
  const opened = groups.find(({ key }) => key === open.value);
  const total = data?.deadLetters.length ?? 0;
  const isCut = data?.next !== undefined;

  const actOnAll = (verb: Verb): void => {
    if (reasonNotTo('operate') !== undefined || total === 0) return;
    const of = [name && `of ${readable(name)}`, words && `with ${readable(words)}`].filter(Boolean).join(' ');
    const number = isCut ? `all ${count(total)} and more` : many(total, 'dead letter');
    confirmFirst({
      title: `${titles[verb]} ${number} ${of}?`,
      text: explained[verb],
      yes: isCut ? `${titles[verb]} all` : `${titles[verb]} ${count(total)}`,
      isDestructive: verb === 'purge',
      act: async () => {
        const json = { ...(name && { function: name }), ...(words && { q: words }) };
        const { done, failed } = await ask<{ done: number; failed: number }>('POST', `dead-letters/${verb}`, { json });
        again();
        return `${many(done, 'dead letter')} ${past[verb]}${failed > 0 ? `, ${count(failed)} not: another job has its unique` : ''}`;
      },
    });
  };
  const actOnGroup = (verb: Verb, group: Group): void => actOn(verb, group.letters, group.function, again);
  usePageKeys({
    r: { does: 'Replay all that match', run: () => actOnAll('replay') },
    Escape: { does: 'Back to the groups', run: () => (open.value = undefined) },
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
          {isCut ? `the first ${count(total)}` : many(total, 'dead letter')}, {many(groups.length, 'reason')}
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
        <>
          <p>
            <button onClick={() => (open.value = undefined)}>← All reasons</button>{' '}
            <FunctionName name={opened.function} /> <Text of={opened.error} />
          </p>
          <Table
            name="letters"
            rows={opened.letters}
            columns={letterColumns(again)}
            keyOf={({ handle }) => handle}
            linkOf={({ handle }) => linkTo('jobs', handle)}
          />
        </>
      ) : (
        <Table name="reasons" rows={groups} columns={groupColumns(open, actOnGroup)} keyOf={({ key }) => key} />
      )}
    </>
  );
}

const titles = { replay: 'Replay', purge: 'Purge' } as const;
const past = { replay: 'wait again', purge: 'are gone' } as const;
const explained = {
  replay: 'They wait for a worker again, with all their tries.',
  purge: 'They and their workloads are gone then. This cannot be taken back.',
} as const;

function actOn(verb: Verb, letters: readonly DeadLetter[], name: string, again: () => void): void {
  confirmFirst({
    title: `${titles[verb]} ${many(letters.length, 'dead letter')} of ${readable(name)}?`,
    text: explained[verb],
    yes: `${titles[verb]} ${count(letters.length)}`,
    isDestructive: verb === 'purge',
    act: async () => {
      const done = await oneByOne(letters, ({ handle }) => {
        const path = `dead-letters/${encodeURIComponent(handle)}`;
        return verb === 'replay' ? ask('POST', `${path}/replay`) : ask('DELETE', path);
      });
      again();
      return `${many(done, 'dead letter')} ${past[verb]}`;
    },
  });
}

function groupColumns(
  open: { value: string | undefined },
  act: (verb: Verb, group: Group) => void,
): readonly TableColumn<Group>[] {
  return [
    { id: 'name', title: 'Function', cell: (group) => <FunctionName name={group.function} /> },
    {
      id: 'error',
      title: 'Why',
      cell: (group) => (
        <button class="plain text" title={readable(group.error)} onClick={() => (open.value = group.key)}>
          <Text of={group.error || '(not said)'} />
        </button>
      ),
    },
    { id: 'number', title: 'How many', isNumber: true, cell: ({ letters }) => <b>{count(letters.length)}</b> },
    { id: 'last', title: 'Last', isNumber: true, cell: ({ last }) => <When at={last} /> },
    {
      id: 'acts',
      title: '',
      cell: (group) => (
        <span class="actions">
          <Action label="Replay…" role="operate" run={() => act('replay', group)} />
          <Action label="Purge…" role="operate" isDestructive run={() => act('purge', group)} />
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
          <Action label="Replay…" role="operate" run={() => actOn('replay', [letter], letter.function, again)} />
          <Action
            label="Purge…"
            role="operate"
            isDestructive
            run={() => actOn('purge', [letter], letter.function, again)}
          />
        </span>
      ),
    },
  ];
}

function groupsOf(letters: readonly DeadLetter[]): readonly Group[] {
  const groups = new Map<string, DeadLetter[]>();
  for (const letter of letters) {
    const key = JSON.stringify([letter.function, reasonOf(letter.error)]);
    const group = groups.get(key);
    if (group) group.push(letter);
    else groups.set(key, [letter]);
  }
  const found = [...groups].map(([key, members]) => {
    const last = members.reduce((latest, { diedAt }) => (diedAt > latest ? diedAt : latest), '');
    return { key, function: members[0]!.function, error: reasonOf(members[0]!.error), letters: members, last };
  });
  return found.sort((one, other) => other.letters.length - one.letters.length);
}

/** An error without what differs from job to job: numbers, and what looks like an id. */
function reasonOf(error: string): string {
  return error
    .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '…')
    .replaceAll(/\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/gi, '…')
    .replaceAll(/\d+/g, '…');
}

function none(total: number): string | undefined {
  return total === 0 ? 'There is none.' : undefined;
}
