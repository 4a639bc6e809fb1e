import { PROMETHEUS_CONTENT_TYPE, prometheusTextInTurns } from '../../telemetry/forms/index.js';
import { answerText } from '../http/answers.js';
import { requireAllFunctions, requireConsent, type AnyCall } from './call.js';

/** `GET /metrics`. A job server elsewhere serves its own metrics; for it, only the requests that were made here are counted. */
export async function metrics(call: AnyCall): Promise<void> {
  requireAllFunctions(call);
  requireConsent(call, 'status');
  const { source, shared, response } = call;
  const ofJobServer = 'jobServer' in source ? await source.jobServer.metricsInTurns() : [];
  const text = await prometheusTextInTurns([...ofJobServer, ...shared.traffic.metrics()]);
  answerText(response, text, PROMETHEUS_CONTENT_TYPE, shared.bodies.budget);
}
