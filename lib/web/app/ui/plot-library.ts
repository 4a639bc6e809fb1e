import { signal } from '@preact/signals';
import type uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

/** The library that draws plots, when it is loaded; `lost`: it could not be loaded. */
export const plotLibrary = signal<typeof uPlot | 'loading' | 'lost' | undefined>(undefined);

/** Loads it once. It is a third of all that the page loads, so lists do not wait for it. */
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
