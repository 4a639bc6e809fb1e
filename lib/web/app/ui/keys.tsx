import { computed, signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { isFrozen } from '../state/feed.js';
import { go, linkTo } from '../state/route.js';
import { Dialog } from './dialog.js';
import { DESTINATIONS } from './navigation.js';
import { isPaletteOpen } from './palette.js';
import { switchTheme } from './theme.js';

/** What a key does. */
export interface Key {
  readonly does: string;
  run(): void;
}

type Keys = Readonly<Record<string, Key>>;

/** How long after `g` the next key may come, in milliseconds. */
const CHORD = 1_500;

const isHelpOpen = signal(false);
const layers = signal<readonly { readonly keys: Keys }[]>([]);
const pageKeys = computed<Keys>(() => Object.assign({}, ...layers.value.map(({ keys }) => keys)) as Keys);

const PAGES: Keys = Object.fromEntries(
  DESTINATIONS.map(({ page, title, key }) => [key, { does: title, run: () => go(linkTo(page)) }]),
);

const EVERYWHERE: Keys = {
  '/': { does: 'Search on this page', run: focusSearch },
  ' ': { does: 'Freeze what is shown, or go on', run: () => (isFrozen.value = !isFrozen.peek()) },
  t: { does: 'Light, dark, or as the system has it', run: switchTheme },
  '?': { does: 'These keys', run: () => (isHelpOpen.value = true) },
};

const SHOWN: Readonly<Record<string, string>> = { ' ': 'Space' };

/** Lets keys do something while a part of the page is shown, from the moment it is visible. */
export function usePageKeys(keys: Keys): void {
  const current = useRef(keys);
  current.current = keys;
  const names = Object.keys(keys).join();
  useLayoutEffect(() => {
    const bound = Object.fromEntries(
      Object.entries(current.current).map(([name, { does }]) => [
        name,
        { does, run: () => current.current[name]?.run() },
      ]),
    );
    const layer = { keys: bound };
    layers.value = [...layers.peek(), layer];
    return () => (layers.value = layers.peek().filter((each) => each !== layer));
  }, [names]);
}

/** Listens to all keys of the page, except those typed into a field. */
export function listenToKeys(): void {
  let chordUntil = 0;
  addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      isPaletteOpen.value = !isPaletteOpen.peek();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isDialogOpen()) return;
    const target = event.target as HTMLElement;
    if (isTyping(target)) {
      if (event.key === 'Escape') target.blur();
      return;
    }
    // On a button Enter and Space do what the button says.
    if ((event.key === ' ' || event.key === 'Enter') && target.closest('button,a,summary,input,select')) return;
    const isChord = event.timeStamp < chordUntil;
    chordUntil = 0;
    if (event.key === 'g' && !isChord) {
      chordUntil = event.timeStamp + CHORD;
      return;
    }
    const key = isChord ? PAGES[event.key] : (pageKeys.peek()[event.key] ?? EVERYWHERE[event.key]);
    if (!key) return;
    event.preventDefault();
    key.run();
  });
}

/** The list of keys. */
export function KeyHelp() {
  if (!isHelpOpen.value) return null;
  return (
    <Dialog title="Keys" onClose={() => (isHelpOpen.value = false)}>
      <div class="key-help">
        <KeyList title="On this page" keys={pageKeys.value} />
        <KeyList title="Everywhere" keys={EVERYWHERE} also={{ 'Ctrl K': 'Go to anything' }} />
        <KeyList title="Go to" keys={PAGES} before="g " />
      </div>
    </Dialog>
  );
}

export function openKeyHelp(): void {
  isHelpOpen.value = true;
}

interface KeyListProps {
  readonly title: string;
  readonly keys: Keys;
  readonly before?: string;
  readonly also?: Readonly<Record<string, string>>;
}

function KeyList({ title, keys, before = '', also = {} }: KeyListProps) {
  const lines = [...Object.entries(keys).map(([key, { does }]) => [key, does]), ...Object.entries(also)];
  if (lines.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {lines.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>
                {before}
                {SHOWN[key!] ?? key}
              </kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function isTyping(target: HTMLElement): boolean {
  if (target instanceof HTMLInputElement) return target.type !== 'checkbox';
  return target.matches('textarea,select');
}

function isDialogOpen(): boolean {
  return document.querySelector('dialog[open]') !== null;
}

function focusSearch(): void {
  const field = document.querySelector<HTMLInputElement>('input[type=search]');
  field?.focus();
  field?.select();
}
