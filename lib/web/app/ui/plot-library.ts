import { signal } from '@preact/signals';
import type uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

/** What draws plots, once it is there; `lost`: it could not be loaded. */
export const plotLibrary = signal<typeof uPlot | 'loading' | 'lost' | undefined>(undefined);

/** Has it loaded, once: it is a third of all that is loaded, and no list waits for it. */
export async function loadPlots(): Promise<void> {
  const value = plotLibrary.peek();
  if (value !== undefined && value !== 'lost') return;
  plotLibrary.value = 'loading';
  try {
    plotLibrary.value = (await import('uplot')).default;
  } catch {
    plotLibrary.value = 'lost';
  }
}
