export { loadOpenTelemetry, type OpenTelemetry } from './open-telemetry.js';
export { jobAttributes, serverAttributes } from './span-attributes.js';
