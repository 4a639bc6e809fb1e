import { signal } from '@preact/signals';

const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

/** Light, dark, or as the system has it. */
export const theme = signal<Theme>(saved());
/** Counts how often colours have changed: plots are drawn again. */
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
    // A browser that keeps nothing has the system's theme again next time.
  }
  wearTheme();
}

/** Puts the theme where the style sheet looks for it. */
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
