import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { beforeAll, expect, it } from '@jest/globals';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { GearmanClient } from 'nestjs-gearman';
import { firstValueFrom } from 'rxjs';
import { FOREIGN_WORKERS, startWorker } from '../support/foreign-programs.js';
import { startListening } from '../support/job-servers.js';
import { clientOf } from '../support/nest-app.js';
import { PATIENCE } from '../support/patience.js';
import { describeWith } from '../support/peers.js';
import { reversed } from '../support/workloads.js';

const LARGEST = 64 * 1024 * 1024;

/** What a workload must not lose, gain or have changed while the client that sends it traces. */
const WORKLOADS: readonly (readonly [title: string, bytes: () => Buffer])[] = [
  ['JSON', () => Buffer.from('{"month":7}')],
  ['all 256 bytes', () => Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
  ['bytes that look like a frame', () => Buffer.from('\0NGMETA1\0\0\0\x09{"a":"b"}and more', 'latin1')],
  ['64 MiB', () => Buffer.alloc(LARGEST, 'one of very many bytes, \0 among them')],
];

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const exporter = new InMemorySpanExporter();

beforeAll(() => {
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
});

/** Not `gearman -w`, which only hands a workload on to a program. */
const languages = FOREIGN_WORKERS.filter(({ peer }) => peer !== 'gearman');

for (const worker of languages) {
  describeWith(worker.peer, `${worker.name}, asked by a client that traces`, () => {
    let client: GearmanClient;
    beforeAll(async () => {
      const maxPacketBytes = LARGEST + 1024;
      const { port } = await startListening({ maxPacketBytes });
      await startWorker(worker, port);
      client = clientOf({ servers: `127.0.0.1:${port}`, format: 'raw', maxPacketBytes, timeout: 0 });
    });

    it.each(WORKLOADS)(
      'gets exactly %s',
      async (_, workload) => {
        exporter.reset();
        const bytes = workload();
        const answer = await firstValueFrom(client.send<Buffer>('reverse', bytes));
        // It answers with what it got, from last to first.
        expect([answer.length, digest(answer)]).toEqual([bytes.length, digest(reversed(bytes))]);
        expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['submit reverse']);
      },
      3 * PATIENCE,
    );
  });
}
