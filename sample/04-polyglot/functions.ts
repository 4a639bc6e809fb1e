import { defineFunction } from 'nestjs-gearman';

export interface Report {
  readonly title: string;
  readonly words: number;
}

/** Our function: the PHP client calls it and understands JSON. */
export const describeText = defineFunction<{ text: string }, Report>('describe_text', { format: 'json' });

/** Their function: the Perl or C worker reads text and answers with digits. */
export const countWords = defineFunction<string, string>('count_words', { format: 'text' });
