import { createRequire } from 'node:module';

const manifest = createRequire(import.meta.url)('../../package.json') as { version: string };

/** The version of this package, which the admin word `version` answers. */
export const VERSION = manifest.version;
