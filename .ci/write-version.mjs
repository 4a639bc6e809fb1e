/*
 * Writes the version of package.json into the code, which cannot read that file
 * (lib/ground/version.ts says why). `npm version` runs it before it commits.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = 'lib/ground/version.ts';
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const before = readFileSync(FILE, 'utf8');
const after = before.replace(/VERSION = '.*'/, `VERSION = '${version}'`);
if (!after.includes(`VERSION = '${version}'`)) throw new Error(`${FILE} has no VERSION to be written`);
writeFileSync(FILE, after);
