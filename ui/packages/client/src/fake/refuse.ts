import { DataStoreError } from '../error';

/** Refuses an operation as the store does. */
export function refuse(code: string, message: string, details: Record<string, unknown> = {}): never {
  throw new DataStoreError({ code, message, details });
}
