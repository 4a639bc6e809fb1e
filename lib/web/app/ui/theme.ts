import { signal } from '@preact/signals';

const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

/** Light, dark, or the system's theme. */
export const theme = signal<Theme>(saved());
/** Counts changes of colours: plots must then be drawn again. */
export const colours = signal(0);

const media = matchMedia('(prefers-color-scheme: dark)');
media.addEventListener('change', () => colours.value++);

export function isDark(): boolean {
  return theme.value === 'dark' || (theme.value === 'system' && media.matches);
}

export function switchTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]!;
  try {
    localStorage.setItem('gearman-theme', theme.value);
  } catch {
    // A browser that stores nothing begins with the system's theme again.
  }
  wearTheme();
}

/** Writes the theme where the style sheet reads it. */
export function wearTheme(): void {
  document.documentElement.dataset['theme'] = theme.value;
  colours.value++;
}

function saved(): Theme {
  try {
    return THEMES.find((each) => each === localStorage.getItem('gearman-theme')) ?? 'system';
  } catch {
    return 'system';
  }
}
