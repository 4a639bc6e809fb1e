import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Problem, send } from '../state/api.js';
import { size } from '../state/numbers.js';
import { bytesIn, readable, readableBytes } from '../state/readable.js';

/** How many bytes are shown; a download has all of them. */
const SHOWN = 4_096;

/** Larger content is not fetched to be shown; it can only be downloaded. */
const MAX_FETCHED = 1_000_000;

type Form = 'json' | 'text' | 'hex';

interface FetchedProps {
  readonly title: string;
  readonly path: string;
  /** How many bytes there are; null if that is not known. */
  readonly length: number | null;
  /** The name of the downloaded file. */
  readonly fileName: string;
}

/** Bytes from the API, fetched once. */
export function FetchedBytes({ title, path, length, fileName }: FetchedProps) {
  const bytes = useSignal<Uint8Array | undefined>(undefined);
  const error = useSignal<string | undefined>(undefined);
  // The length of a result is not known before it arrives.
  const told = useSignal(length);
  const known = length ?? told.value;
  const isTooLong = known !== null && known > MAX_FETCHED;
  useEffect(() => {
    if (isTooLong) return;
    const gone = new AbortController();
    send('GET', path, { signal: gone.signal })
      .then(async (response) => {
        if (response.status !== 200) throw new Problem(response.status, 'not-yet', 'It is not there yet.');
        told.value = Number(response.headers.get('Content-Length') ?? 0);
        if (told.value > MAX_FETCHED) return gone.abort();
        bytes.value = new Uint8Array(await response.arrayBuffer());
      })
      .catch((failure: Error) => {
        if (gone.signal.aborted) return;
        bytes.value = failure instanceof Problem ? bytesIn(failure.exception) : undefined;
        error.value = failure.message;
      });
    return () => gone.abort();
  }, [path, isTooLong]);
  if (isTooLong) {
    return (
      <section class="bytes">
        <header>
          <h2>{title}</h2>
          <Download path={path} fileName={fileName} />
        </header>
        <p class="faint">{size(known)}: too long to be looked at here.</p>
      </section>
    );
  }
  if (bytes.value) return <Bytes title={title} bytes={bytes.value} path={path} fileName={fileName} />;
  return (
    <section class="bytes">
      <h2>{title}</h2>
      <p class="faint">{error.value ?? 'Loading…'}</p>
    </section>
  );
}

interface BytesProps {
  readonly title: string;
  readonly bytes: Uint8Array;
  readonly path?: string;
  readonly fileName?: string;
}

/** Bytes as JSON if they are JSON, otherwise as text or in hexadecimal. */
export function Bytes({ title, bytes, path, fileName }: BytesProps) {
  const forms = formsOf(bytes);
  const form = useSignal<Form>(forms[0]!);
  const isCut = bytes.length > SHOWN;
  return (
    <section class="bytes">
      <header>
        <h2>
          {title} <span class="faint">{size(bytes.length)}</span>
        </h2>
        <span class="choice" role="group" aria-label={`${title} as`}>
          {forms.map((each) => (
            <button
              key={each}
              class="plain"
              aria-pressed={form.value === each}
              onClick={() => {
                form.value = each;
              }}
            >
              {each}
            </button>
          ))}
        </span>
        {path && fileName && <Download path={path} fileName={fileName} />}
      </header>
      {bytes.length === 0 ? (
        <p class="faint">It is empty.</p>
      ) : (
        <pre tabIndex={0} dir="ltr">
          {shown(bytes, form.value)}
        </pre>
      )}
      {isCut && <p class="faint">The first {size(SHOWN)}; download it to see all.</p>}
    </section>
  );
}

function Download({ path, fileName }: { readonly path: string; readonly fileName: string }) {
  const keep = async (): Promise<void> => {
    const blob = await (await send('GET', path)).blob();
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = fileName;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  return <button onClick={() => void keep()}>Download</button>;
}

function formsOf(bytes: Uint8Array): Form[] {
  const text = textOf(bytes);
  if (text === undefined) return ['hex', 'text'];
  return bytes.length <= MAX_FETCHED && jsonOf(text) !== undefined ? ['json', 'text', 'hex'] : ['text', 'hex'];
}

function shown(bytes: Uint8Array, form: Form): string {
  if (form === 'hex') return hexOf(bytes.subarray(0, SHOWN));
  const text = textOf(bytes);
  if (form === 'json') return linesOf(jsonOf(text ?? '') ?? '').slice(0, SHOWN);
  return text === undefined ? readableBytes(bytes.subarray(0, SHOWN)) : linesOf(text.slice(0, SHOWN));
}

/** Keeps line ends; all other invisible characters are shown by their numbers. */
function linesOf(text: string): string {
  return text.split('\n').map(readable).join('\n');
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function jsonOf(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return undefined;
  }
}

function hexOf(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const line = [...bytes.subarray(at, at + 16)];
    const hex = line.map((byte) => byte.toString(16).padStart(2, '0'));
    const left = hex.slice(0, 8).join(' ');
    const right = hex.slice(8).join(' ');
    const text = line.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : '·')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${`${left}  ${right}`.padEnd(48)}  ${text}`);
  }
  return lines.join('\n');
}
