import { PROMETHEUS_CONTENT_TYPE, prometheusTextInTurns } from '../../telemetry/forms/index.js';
import { answerText } from '../http/answers.js';
import type { WebTraffic } from '../http/web-traffic.js';
import { requireAllFunctions, requireConsent, type AnyCall } from './call.js';

/** `GET /metrics`. */
export async function metrics(call: AnyCall): Promise<void> {
  requireAllFunctions(call);
  requireConsent(call, 'status');
  const { source, shared, response } = call;
  answerText(response, await shared.metricsTexts.of(source), PROMETHEUS_CONTENT_TYPE, shared.bodies.budget);
}

/** The metrics of a job server, and of the requests here. A job server elsewhere serves its own metrics itself. */
export async function metricsText(source: AnyCall['source'], traffic: WebTraffic): Promise<string> {
  const ofJobServer = 'jobServer' in source ? await source.jobServer.metricsInTurns() : [];
  return prometheusTextInTurns([...ofJobServer, ...traffic.metrics()]);
}
