import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { GEARMAN_ERRORS, GearmanError } from '../../lib/ground/index.js';
import * as jobServer from 'nestjs-gearman/job-server';
import * as transport from 'nestjs-gearman';
import { ROOT } from '../support/built.js';
import { errorsPage } from '../support/errors-page.js';
import { expectMadePage } from '../support/made-page.js';

/** What looks like a code and is none. */
const OTHERS = ['GEARMAN_ERRORS', 'GEARMAN_TRANSPORT', 'GEARMAN_DAEMON'];

describe('docs/errors.md', () => {
  it('says what the code tells; UPDATE_DOCS=1 writes it anew', async () => {
    await expectMadePage(join(ROOT, 'docs/errors.md'), errorsPage());
  });

  it('has every code that stands in lib, and lib uses each', () => {
    const files = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && !file.endsWith('error-codes.ts'),
    );
    const used = new Set(
      files.flatMap(
        (file) => readFileSync(join(ROOT, 'lib', file), 'utf8').match(/(?<=')GEARMAN_[A-Z_]*[A-Z](?=')/g) ?? [],
      ),
    );
    for (const other of OTHERS) used.delete(other);
    expect([...used].sort()).toEqual(Object.keys(GEARMAN_ERRORS).sort());
  });

  it('names classes that can be imported, for each error class that is', () => {
    const exported = Object.entries({ ...transport, ...jobServer })
      .filter(([, value]) => typeof value === 'function' && value.prototype instanceof GearmanError)
      .map(([name]) => name);
    const named = new Set(Object.values(GEARMAN_ERRORS).flatMap(({ thrownAs }) => thrownAs.split(', ')));
    named.delete('GearmanError');
    expect([...named].sort()).toEqual(exported.sort());
  });
});
