import { signal, useSignal } from '@preact/signals';
import { ask } from '../state/api.js';
import { size } from '../state/numbers.js';
import { readableName } from '../state/readable.js';
import { go, linkTo } from '../state/route.js';
import { FormDialog, perform } from './dialog.js';
import { functionQuery } from './names.js';

interface Wanted {
  readonly name: string;
  readonly name64?: string | undefined;
  /** The workload of the job that is submitted again. */
  readonly workload?: Blob;
}

const wanted = signal<Wanted | undefined>(undefined);

/** The last workload submitted from this page, by function. */
const lastOnes = signal<ReadonlyMap<string, Blob | string>>(new Map());

/** Asks for a job's workload, and submits the job. */
export function submitTo(function_: Wanted): void {
  wanted.value = function_;
}

export function SubmitDialog() {
  return wanted.value ? <Form of={wanted.value} /> : null;
}

function Form({ of }: { readonly of: Wanted }) {
  const text = useSignal('');
  const file = useSignal<Blob | undefined>(of.workload);
  const priority = useSignal('normal');
  const key = functionQuery(of).function64;
  const last = lastOnes.value.get(key);
  const close = (): void => {
    wanted.value = undefined;
  };
  const submit = (): void => {
    close();
    void perform(async () => {
      const query = { ...functionQuery(of), priority: priority.value };
      const bytes = file.value ?? text.value;
      lastOnes.value = new Map([...lastOnes.peek(), [key, bytes]]);
      const { handle } = await ask<{ handle: string }>('POST', 'functions/-/jobs', { query, bytes });
      go(linkTo('jobs', handle));
      return `Submitted ${handle}`;
    });
  };
  return (
    <FormDialog
      title={`Submit a job to ${readableName(of.name, of.name64)}`}
      yes="Submit in the background"
      onClose={close}
      onSubmit={submit}
    >
      <label>
        Workload, as text or JSON
        <textarea
          rows={6}
          spellcheck={false}
          disabled={file.value !== undefined}
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
      </label>
      {last !== undefined && !of.workload && (
        <p>
          <button
            type="button"
            onClick={() => {
              if (typeof last === 'string') text.value = last;
              file.value = typeof last === 'string' ? undefined : last;
            }}
          >
            The last one again
          </button>{' '}
          {file.value && <span class="faint">a file of {size(file.value.size)}</span>}
        </p>
      )}
      <label>
        {of.workload ? `or another file than the ${of.workload.size} bytes of the job before` : 'or a file, as it is'}
        <input type="file" onChange={(event) => (file.value = event.currentTarget.files?.[0] ?? of.workload)} />
      </label>
      <label>
        Priority
        <select value={priority.value} onChange={(event) => (priority.value = event.currentTarget.value)}>
          <option>high</option>
          <option>normal</option>
          <option>low</option>
        </select>
      </label>
    </FormDialog>
  );
}
