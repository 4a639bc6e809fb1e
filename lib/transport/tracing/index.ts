export { Tracing } from './tracing.js';
export { withoutMode } from './submitted-mode.js';
export type { ProcessSpan } from './process-span.js';
export type { SubmitSpan } from './submit-span.js';
