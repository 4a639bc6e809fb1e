import type { ByteString, Job } from '../engine/index.js';
import { DEFAULT_RETRIES, retryDelay, type FunctionPolicies, type FunctionPolicy } from './function-policy.js';
import { toByteString } from '../../protocol/index.js';

/** Decides by the functions' policies what becomes of background jobs that failed. */
export class Retries {
  private readonly policies: ReadonlyMap<ByteString, FunctionPolicy>;
  private readonly otherwise: FunctionPolicy | undefined;

  constructor(policies: FunctionPolicies) {
    this.policies = new Map(Object.entries(policies).map(([name, policy]) => [toByteString(name), policy]));
    this.otherwise = policies['*'];
  }

  /** After how many milliseconds a failed job runs again, `exhausted`, or undefined where no policy says anything. */
  retryAfter(job: Job): number | 'exhausted' | undefined {
    const policy = this.policyOf(job);
    if (!policy) return undefined;
    if (job.attempts >= (policy.retries ?? DEFAULT_RETRIES)) return 'exhausted';
    return retryDelay(policy, job.attempts, Math.random());
  }

  /** Whether a job that failed for good goes to the dead letters. */
  isBuried(job: Job): boolean {
    const policy = this.policyOf(job);
    return policy !== undefined && (policy.deadLetter ?? true);
  }

  private policyOf({ function_ }: Job): FunctionPolicy | undefined {
    return this.policies.get(function_.name) ?? this.otherwise;
  }
}
