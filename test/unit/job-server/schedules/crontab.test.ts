import { describe, expect, it } from '@jest/globals';
import { readCrontab } from '../../../../lib/job-server/schedules/index.js';

describe('a crontab', () => {
  it('has a pattern, a function and a workload a line', () => {
    const text = [
      '# every night',
      '0 3 * * * report',
      '  */10 * * * * * poll ?id=fast&missed=skip&overlap=queue  two  blanks ',
      '@daily CRON_TZ=Europe/Berlin clean ?jitter=500',
      '@every 30s Image::resize {"width": 10}',
      '0 0 * * mon-fri weekday\r',
      '',
    ].join('\n');
    expect(readCrontab(text)).toEqual({
      report: { function: 'report', cron: '0 3 * * *', timeZone: 'UTC' },
      fast: {
        function: 'poll',
        cron: '*/10 * * * * *',
        timeZone: 'UTC',
        missed: 'skip',
        overlap: 'queue',
        workload: ' two  blanks ',
      },
      clean: { function: 'clean', cron: '@daily', timeZone: 'Europe/Berlin', jitter: 500 },
      'Image::resize': { function: 'Image::resize', every: 30_000, workload: '{"width": 10}' },
      weekday: { function: 'weekday', cron: '0 0 * * mon-fri', timeZone: 'UTC' },
    });
  });

  it('has the zone of the last line that sets one', () => {
    const text = '0 1 * * * utc\nCRON_TZ=Asia/Tokyo\n0 1 * * * tokyo\n0 1 * * * CRON_TZ=UTC utc ?id=other';
    const zones = Object.values(readCrontab(text)).map(({ timeZone }) => timeZone);
    expect(zones).toEqual(['UTC', 'Asia/Tokyo', 'UTC']);
  });

  it('says which line is not understood', () => {
    expect(() => readCrontab('\n0 3 * * *')).toThrow('line 2 of the crontab: must be a line as `0 3 * * *');
    expect(() => readCrontab('0 3 * * * f ?nightly=1')).toThrow(
      'line 1 of the crontab: nightly: is no setting of a schedule; there are id',
    );
    expect(() => readCrontab('@every 3x f')).toThrow('@every 30s, 5m, 2h or 1d');
    expect(() => readCrontab('@daily f\n@hourly f')).toThrow('line 2 of the crontab: is the second with the id f');
  });
});
