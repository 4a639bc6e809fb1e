import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { prometheusText } from 'nestjs-gearman/telemetry';
import { EventReader } from '../../support/event-reader.js';
import { until } from '../../support/until.js';
import { startWeb, type WebScene } from '../../support/web-scene.js';

/** What the handler tells, by everything before the value; times are left out. */
function told({ handler }: WebScene): Record<string, number> {
  const lines = prometheusText(handler.metrics()).split('\n');
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, name, value] = /^gearman_(\S+) (\S+)$/.exec(line.replaceAll(/ (?=.*\})/g, '+')) ?? [];
      return name === undefined || /_(bucket|sum)\{/.test(name) ? [] : [[name, Number(value)]];
    }),
  );
}

describe('the metrics of HTTP', () => {
  it('tell how often each route was answered, and how, whatever the paths are', async () => {
    const scene = await startWeb();
    for (let number = 0; number < 300; number++) await fetch(`http://127.0.0.1:${scene.port}/${number}?q=${number}`);
    for (const name of ['a', 'b', '%C3%BC']) {
      expect((await scene.ask('POST', `/v1/functions/${name}/jobs`, { body: 'x' })).status).toBe(202);
    }
    await scene.ask('GET', '/v1/jobs/H:none:1');
    await scene.ask('GET', '/v1/server');
    await scene.ask('DELETE', '/v1/server');
    await until(
      'all are counted',
      () => told(scene)['http_requests_total{method="_other",route="_other",status="405"}'] === 1,
    );
    expect(told(scene)).toEqual({
      sse_clients: 0,
      'http_requests_total{method="_other",route="_other",status="404"}': 300,
      'http_requests_total{method="_other",route="_other",status="405"}': 1,
      'http_requests_total{method="POST",route="/v1/functions/{function}/jobs",status="202"}': 3,
      'http_requests_total{method="GET",route="/v1/jobs/{handle}",status="404"}': 1,
      'http_requests_total{method="GET",route="/v1/server",status="200"}': 1,
      'http_request_seconds_count{method="_other",route="_other"}': 301,
      'http_request_seconds_count{method="POST",route="/v1/functions/{function}/jobs"}': 3,
      'http_request_seconds_count{method="GET",route="/v1/jobs/{handle}"}': 1,
      'http_request_seconds_count{method="GET",route="/v1/server"}': 1,
    });
  });

  it('count an event stream once it has begun, and tell how many are open', async () => {
    const scene = await startWeb();
    const streams = await Promise.all(
      [1, 2, 3].map(() => EventReader.open(`http://127.0.0.1:${scene.port}/v1/events`)),
    );
    expect(told(scene)).toMatchObject({
      sse_clients: 3,
      'http_requests_total{method="GET",route="/v1/events",status="200"}': 3,
    });
    for (const stream of streams) stream.close();
    await until('they are gone', () => told(scene)['sse_clients'] === 0);
    expect(told(scene)['http_request_seconds_count{method="GET",route="/v1/events"}']).toBe(3);
  });

  it('count who leaves before the answer', async () => {
    const scene = await startWeb();
    const socket = connect(scene.port, '127.0.0.1');
    // Where the request has come, the answer to this says.
    socket.once('data', () => socket.destroy());
    const head =
      'POST /v1/functions/f/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n';
    socket.write(`${head}half`);
    const none = 'http_requests_total{method="POST",route="/v1/functions/{function}/jobs",status="none"}';
    await until('it is counted', () => told(scene)[none] === 1);
  });

  it('stand on /metrics beside those of the job server', async () => {
    const scene = await startWeb();
    await scene.json('GET', '/v1/server');
    await until('it is counted', () => Object.keys(told(scene)).length > 1);
    const text = await (await scene.ask('GET', '/metrics')).text();
    expect(text).toContain('\ngearman_http_requests_total{method="GET",route="/v1/server",status="200"} 1\n');
    expect(text).toContain('\ngearman_connections 0\n');
  });
});
