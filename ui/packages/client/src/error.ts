/** What a refused operation answers with, at every edge of the store. */
export interface ErrorObject {
  /** Stable, for programs: `ROW_NOT_FOUND`. */
  code: string;
  /** For people; never matched on. */
  message: string;
  /** Names the path, field or index at fault, where there is one. */
  details: unknown;
}

/** An operation that the store refused, or that never reached it (code `INTERNAL`). */
export class DataStoreError extends Error implements ErrorObject {
  override readonly name = 'DataStoreError';
  readonly code: string;
  readonly details: unknown;

  constructor({ code, message, details }: ErrorObject, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }

  /** Takes whatever a transport rejected with: Tauri itself rejects with a bare string. */
  static from(rejection: unknown): DataStoreError {
    if (rejection instanceof DataStoreError) return rejection;
    if (isErrorObject(rejection)) return new DataStoreError(rejection);
    const message = rejection instanceof Error ? rejection.message : String(rejection);
    return new DataStoreError({ code: 'INTERNAL', message, details: null }, { cause: rejection });
  }
}

function isErrorObject(value: unknown): value is ErrorObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    typeof value.code === 'string' &&
    'message' in value &&
    typeof value.message === 'string'
  );
}
