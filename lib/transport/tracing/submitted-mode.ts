import type { GearmanMetadata } from '../../driver/index.js';
import { SUBMITTED_KEY as KEY } from '../../protocol/index.js';
import type { JobMode } from './tracing-options.js';

const MODES: readonly string[] = ['foreground', 'background', 'delayed', 'replayed'] satisfies JobMode[];

/** A trace context, with the way in which its job was submitted. */
export function withMode(context: GearmanMetadata, mode: JobMode): GearmanMetadata {
  return { ...context, [KEY]: mode };
}

/** How a job was submitted; undefined if its client does not trace. */
export function modeOf(metadata: GearmanMetadata | undefined): JobMode | undefined {
  const mode = metadata?.[KEY];
  return mode !== undefined && MODES.includes(mode) ? (mode as JobMode) : undefined;
}

/** The metadata as a handler sees it. */
export function withoutMode(metadata: GearmanMetadata | undefined): GearmanMetadata | undefined {
  if (metadata?.[KEY] === undefined) return metadata;
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => key !== KEY));
}
