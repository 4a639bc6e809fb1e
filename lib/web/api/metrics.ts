import { PROMETHEUS_CONTENT_TYPE, prometheusChunks } from '../../telemetry/metrics/index.js';
import { answerText } from '../http/answers.js';
import { requireAllFunctions, requireConsent, type AnyCall } from './call.js';

/** `GET /metrics`. A job server elsewhere tells its own metrics itself: of it there is only what was asked here. */
export function metrics(call: AnyCall): void {
  requireAllFunctions(call);
  requireConsent(call, 'status');
  const { source, shared, response } = call;
  const ofJobServer = 'jobServer' in source ? source.jobServer.metrics() : [];
  const text = [...prometheusChunks([...ofJobServer, ...shared.traffic.metrics()])].join('');
  answerText(response, text, PROMETHEUS_CONTENT_TYPE, shared.bodies.budget);
}
