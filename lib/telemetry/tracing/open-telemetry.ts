/** OpenTelemetry's API as a module. */
export type OpenTelemetry = typeof import('@opentelemetry/api');

/** OpenTelemetry's API, if the application has it. */
export async function loadOpenTelemetry(): Promise<OpenTelemetry | undefined> {
  try {
    return await import('@opentelemetry/api');
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
