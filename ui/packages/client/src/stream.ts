import { DataStoreError } from './error';
import type { Unsubscribe } from './live';
import type { Args, Transport } from './transport';

/** Who takes the messages of a subscription. */
export interface Receiver {
  message(message: unknown): void;
  /** It could not be opened, or has ended by itself. Nothing comes after it. */
  failed(error: DataStoreError): void;
}

/** Keeps a subscription open and acknowledges its messages, each once it has been taken. */
export function stream(transport: Transport, operation: string, args: Args, receiver: Receiver): Unsubscribe {
  let open = true;
  function fail(rejection: unknown) {
    if (!open) return;
    open = false;
    receiver.failed(DataStoreError.from(rejection));
  }
  function receive(message: unknown) {
    if (!open) return;
    const error = endedBy(message);
    if (error !== undefined) return fail(error);
    try {
      receiver.message(message);
    } finally {
      opened.then((subscription) => (open ? transport.call('acknowledge', { subscription }) : null)).catch(fail);
    }
  }
  const opened = Promise.resolve().then(() => transport.open(operation, args, receive));
  opened.catch(fail);
  return () => {
    if (!open) return;
    open = false;
    // One that could not be opened, or whose store is gone, has ended as well.
    opened.then((subscription) => transport.call('unsubscribe', { subscription })).catch(() => undefined);
  };
}

function endedBy(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'error' in message ? message.error : undefined;
}
