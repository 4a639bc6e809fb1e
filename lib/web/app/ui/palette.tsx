import { signal, useSignal } from '@preact/signals';
import { functions } from '../state/feed.js';
import { go, linkTo } from '../state/route.js';
import { Dialog } from './dialog.js';
import { functionLink } from './names.js';
import { DESTINATIONS } from './navigation.js';

export const isPaletteOpen = signal(false);

const MAX_FOUND = 12;

interface Place {
  readonly title: string;
  readonly kind: string;
  readonly link: string;
}

/** Goes to anything by a part of its name: a page, a function, a job by its handle. */
export function Palette() {
  if (!isPaletteOpen.value) return null;
  return <OpenPalette />;
}

function OpenPalette() {
  const text = useSignal('');
  const at = useSignal(0);
  const places = placesOf(text.value.trim());
  const close = (): void => {
    isPaletteOpen.value = false;
  };
  const open = (place: Place | undefined): void => {
    if (!place) return;
    close();
    go(place.link);
  };
  return (
    <Dialog title="Go to" onClose={close}>
      <input
        class="palette"
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="places"
        aria-activedescendant={`place-${at.value}`}
        placeholder="A page, a function, a handle, or words to search jobs by"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          at.value = 0;
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') at.value = Math.min(places.length - 1, at.value + 1);
          else if (event.key === 'ArrowUp') at.value = Math.max(0, at.value - 1);
          else if (event.key === 'Enter') open(places[at.value]);
          else return;
          event.preventDefault();
        }}
      />
      <ul id="places" role="listbox" class="places">
        {places.map((place, index) => (
          <li
            key={place.link}
            id={`place-${index}`}
            role="option"
            aria-selected={index === at.value}
            onClick={() => open(place)}
          >
            <bdi>{place.title}</bdi>
            <span class="faint">{place.kind}</span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

function placesOf(text: string): Place[] {
  const wanted = text.toLowerCase();
  const pages = DESTINATIONS.filter(({ title }) => title.toLowerCase().includes(wanted));
  const places: Place[] = pages.map(({ page, title }) => ({ title, kind: 'page', link: linkTo(page) }));
  if (text === '') return places;
  if (/^\S+:\S+:\d+$/.test(text)) places.unshift({ title: text, kind: 'job', link: linkTo('jobs', text) });
  for (const row of functions.values()) {
    if (places.length >= MAX_FOUND) break;
    if (row.label.toLowerCase().includes(wanted)) {
      places.push({ title: row.label, kind: 'function', link: functionLink(row) });
    }
  }
  places.push({ title: text, kind: 'search jobs', link: linkTo('jobs', '', { q: text }) });
  return places;
}
