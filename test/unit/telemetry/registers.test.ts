import { describe, expect, it } from '@jest/globals';
import * as promClient from 'prom-client';
import * as prometheusIo from '@prometheus-io/client';
import { GearmanMetricProducer, registerMetrics } from '../../../lib/telemetry/forms/index.js';
import type { MetricFamily } from '../../../lib/telemetry/metrics/index.js';
import { FAMILIES, sourceOf } from './families.js';

const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

const RUN = [
  'gearman_job_run_seconds_bucket{function="reverse",le="0.001"} 1',
  'gearman_job_run_seconds_bucket{function="reverse",le="0.002"} 3',
  'gearman_job_run_seconds_bucket{function="reverse",le="+Inf"} 4',
  'gearman_job_run_seconds_sum{function="reverse"} 0.75',
  'gearman_job_run_seconds_count{function="reverse"} 4',
];

describe.each([
  ['prom-client', promClient],
  // Its types are those of its predecessor, under another name.
  ['@prometheus-io/client', prometheusIo as unknown as typeof promClient],
])('a registry of %s', (_name, { Registry, AggregatorRegistry, Counter }) => {
  const samples = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

  it('tells what the sources measure, beside metrics of its own', async () => {
    const register = new Registry();
    new Counter({ name: 'own_total', help: 'x', registers: [register] }).inc();
    registerMetrics(register, sourceOf());
    expect(samples(await register.metrics())).toEqual([
      'own_total 1',
      'gearman_jobs_completed_total{function="reverse"} 3',
      'gearman_jobs_completed_total{function="a\\"b\\\\c\\nd"} 1',
      'gearman_connections 2.5',
      ...RUN,
    ]);
  });

  it('names counters once in its OpenMetrics form, at every scrape', async () => {
    const register = new Registry();
    register.setContentType(OPENMETRICS as never);
    registerMetrics(register, sourceOf());
    for (let scrape = 0; scrape < 2; scrape++) {
      const text = await register.metrics();
      expect(text).toContain(
        '# TYPE gearman_jobs_completed counter\ngearman_jobs_completed_total{function="reverse"} 3\n',
      );
      expect(text).not.toContain('_total_total');
      expect(samples(text)).toEqual(expect.arrayContaining(RUN));
    }
  });

  it('adds its default labels', async () => {
    const register = new Registry();
    register.setDefaultLabels({ app: 'shop' });
    registerMetrics(register, sourceOf());
    expect(samples(await register.metrics())).toContain('gearman_connections{app="shop"} 2.5');
    expect(samples(await register.metrics())).toContain(
      'gearman_jobs_completed_total{function="reverse",app="shop"} 3',
    );
    expect(FAMILIES[0]!.samples[0]!.labels).toEqual({ function: 'reverse' });
  });

  it('asks the sources once a scrape, and is not reset', async () => {
    const register = new Registry();
    const source = sourceOf();
    registerMetrics(register, source);
    source.asked = 0;
    register.resetMetrics();
    const [one, other] = [await register.metrics(), await register.metrics()];
    expect(other).toBe(one);
    expect(source.asked).toBeLessThanOrEqual(3);
  });

  it('sums the processes of a cluster', async () => {
    const register = new Registry();
    registerMetrics(register, sourceOf());
    const told = [await register.getMetricsAsJSON(), await register.getMetricsAsJSON()];
    const aggregated = AggregatorRegistry.aggregate(JSON.parse(JSON.stringify(told)) as never);
    expect(samples(await aggregated.metrics())).toEqual([
      'gearman_jobs_completed_total{function="reverse"} 6',
      'gearman_jobs_completed_total{function="a\\"b\\\\c\\nd"} 2',
      'gearman_connections 5',
      'gearman_job_run_seconds_bucket{function="reverse",le="0.001"} 2',
      'gearman_job_run_seconds_bucket{function="reverse",le="0.002"} 6',
      'gearman_job_run_seconds_bucket{function="reverse",le="+Inf"} 8',
      'gearman_job_run_seconds_sum{function="reverse"} 1.5',
      'gearman_job_run_seconds_count{function="reverse"} 8',
    ]);
  });

  it('tells two sources of one name as one, with the sum', async () => {
    const register = new Registry();
    const more: readonly MetricFamily[] = [
      { ...FAMILIES[0]!, samples: [{ labels: { function: 'reverse' }, value: 4 }] } as MetricFamily,
      FAMILIES[2]!,
    ];
    registerMetrics(register, sourceOf(), sourceOf(more));
    const lines = samples(await register.metrics());
    expect(lines).toContain('gearman_jobs_completed_total{function="reverse"} 7');
    expect(lines).toContain('gearman_job_run_seconds_bucket{function="reverse",le="0.002"} 6');
    expect(lines).toContain('gearman_job_run_seconds_count{function="reverse"} 8');
  });
});

describe('a producer for OpenTelemetry', () => {
  it('is taken by a reader of its SDK', async () => {
    const { MeterProvider, PeriodicExportingMetricReader, InMemoryMetricExporter, AggregationTemporality } =
      await import('@opentelemetry/sdk-metrics');
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const broken = {
      metrics(): never {
        throw new Error('broken');
      },
    };
    const metricProducers = [new GearmanMetricProducer(sourceOf(), broken)];
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e6, metricProducers });
    const provider = new MeterProvider({ readers: [reader] });
    const { errors } = await reader.collect();
    expect(errors.map((error) => (error as Error).message)).toEqual(['broken']);
    await provider.forceFlush();
    const [scope] = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .filter(({ scope: { name } }) => name === 'nestjs-gearman');
    expect(scope!.metrics).toMatchObject([
      {
        descriptor: { name: 'gearman_jobs_completed_total', unit: '' },
        isMonotonic: true,
        aggregationTemporality: AggregationTemporality.CUMULATIVE,
        dataPoints: [{ attributes: { function: 'reverse' }, value: 3 }, { value: 1 }],
      },
      { descriptor: { name: 'gearman_connections' }, dataPoints: [{ attributes: {}, value: 2.5 }] },
      {
        descriptor: { name: 'gearman_job_run_seconds', unit: 's' },
        dataPoints: [{ value: { buckets: { boundaries: [0.001, 0.002], counts: [1, 2, 1] }, count: 4, sum: 0.75 } }],
      },
    ]);
    await provider.shutdown();
  });
});
