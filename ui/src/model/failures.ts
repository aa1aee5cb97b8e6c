import { DataStoreError } from '@tombolo/client';
import { messages } from '../lib/messages';

/** An error for people: one sentence that says what happened and what is safe, and the details for whoever helps. */
export interface Failure {
  sentence: string;
  /** `CODE: message`, and the details where there are some. */
  details: string;
}

export function failure(error: unknown): Failure {
  const { code, message, details } = DataStoreError.from(error);
  const more = details === null || details === undefined ? '' : `\n${JSON.stringify(details)}`;
  return { sentence: messages.errors.byCode[code] ?? messages.errors.other, details: `${code}: ${message}${more}` };
}
