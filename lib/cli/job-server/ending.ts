import type { JobServer } from '../../job-server/index.js';

/**
 * Ends the job server on request: SIGTERM, SIGINT and the admin word `shutdown`
 * give running jobs some time, SIGUSR1 and `shutdown graceful` wait until all
 * jobs are done. A second SIGTERM or SIGINT ends it at once.
 *
 * @param wasEnded is aborted if the request came while the job server started.
 * @returns the exit code, when the job server has ended.
 */
export function untilEnded(jobServer: JobServer, gracePeriod: number, wasEnded: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    let wasTold = false;
    const end = (isImpatient: boolean, exitCode: number): void => {
      jobServer.stop({ gracePeriod: isImpatient ? 0 : gracePeriod }).then(() => resolve(exitCode), reject);
    };
    const soon = (signal: string, number: number): void => {
      jobServer.log('info', `${signal}: ending${wasTold ? ' at once' : ''}`);
      end(wasTold, wasTold ? 128 + number : 0);
      wasTold = true;
    };
    const gracefully = (signal: string): void => {
      if (wasTold) return;
      jobServer.log('info', `${signal}: ending when all jobs are done`);
      jobServer.stop({ gracePeriod: Infinity, finish: 'all' }).then(() => resolve(0), reject);
    };
    process.on('uncaughtException', reject);
    process.on('SIGTERM', () => soon('SIGTERM', 15));
    process.on('SIGINT', () => soon('SIGINT', 2));
    process.on('SIGUSR1', () => gracefully('SIGUSR1'));
    if (wasEnded.aborted) soon('SIGTERM', 15);
    jobServer.on('shutdown', (isGraceful) => (isGraceful ? gracefully('shutdown graceful') : soon('shutdown', 15)));
  });
}
