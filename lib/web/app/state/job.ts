/** A job that is not over. */
export interface Job {
  readonly handle: string;
  readonly function: string | null;
  readonly unique: string | null;
  readonly priority: 'high' | 'normal' | 'low' | null;
  readonly state: 'waiting' | 'delayed' | 'running';
  readonly isBackground: boolean | null;
  readonly clients: number | null;
  readonly losses: number | null;
  readonly attempts: number | null;
  readonly size: number | null;
  readonly readyAt?: string;
  readonly startedAt?: string;
  readonly worker?: string;
  readonly numerator: number;
  readonly denominator: number;
}
