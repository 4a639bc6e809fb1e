/** OpenTelemetry's API as a module. */
export type OpenTelemetry = typeof import('@opentelemetry/api');
