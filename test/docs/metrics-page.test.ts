import { join } from 'node:path';
import { it } from '@jest/globals';
import { ROOT } from '../support/built.js';
import { expectMadePage } from '../support/made-page.js';
import { metricsPage } from '../support/metrics-page.js';

it('docs/metrics.md says what the code tells; UPDATE_DOCS=1 writes it anew', async () => {
  await expectMadePage(join(ROOT, 'docs/metrics.md'), metricsPage());
});
