import 'reflect-metadata';
import { expect, it } from '@jest/globals';
import { AppModule } from '../../sample/06-coalescing/app.module.js';
import { buildReport } from '../../sample/06-coalescing/functions.js';
import { ReportController } from '../../sample/06-coalescing/report.controller.js';
import { ReportService } from '../../sample/06-coalescing/report.service.js';
import { PATIENT } from '../support/patience.js';
import { startSample } from '../support/sample.js';
import { serveSample } from '../support/sample-app.js';

it('sample 06 shares a report with those who want the same month, and with nobody else', async () => {
  const { app, jobServer } = await serveSample({ imports: [AppModule] });
  const reports = app.get(ReportService);
  jobServer.pause(buildReport.name);
  const answers = Promise.all(['2026-07', '2026-07', '2026-08'].map((month) => reports.sharedReport(month)));
  await jobServer.untilJobs(buildReport, 2, PATIENT);
  jobServer.resume(buildReport.name);

  const [first, second, other] = await answers;
  expect(first).toMatch(/^report of 2026-07, made by run \d$/);
  expect(second).toBe(first);
  expect(other).toMatch(/^report of 2026-08, made by run \d$/);
  expect(app.get(ReportController).runs).toBe(2);
});

it('sample 06 runs one job for a thousand callers', async () => {
  const sample = startSample('06-coalescing');
  expect(await sample.ended).toBe(0);
  expect(sample.output().trim().split('\n')).toEqual([
    expect.stringMatching(/^without a unique: 100 callers, 100 runs, 100 answers in \d+ ms$/),
    expect.stringMatching(/^with a unique: 1000 callers, 1 run, 1000 answers in \d+ ms$/),
  ]);
});
