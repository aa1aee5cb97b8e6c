import { Channel, invoke } from '@tauri-apps/api/core';
import type { Transport } from './transport';

/** The header that carries the arguments of a call whose body is bytes. */
const ARGS_HEADER = 'tombolo-args';

/** The commands of `tauri-plugin-tombolo`. Bytes travel as raw bodies, never as JSON. */
export const tauriTransport: Transport = {
  call(operation, args, bytes) {
    const command = `plugin:tombolo|${operation}`;
    if (bytes === undefined) return invoke(command, args);
    const headers = { [ARGS_HEADER]: encodeURIComponent(JSON.stringify(args)) };
    return invoke(command, bytes, { headers });
  },
  open(operation, args, receive) {
    return invoke(`plugin:tombolo|${operation}`, { ...args, channel: new Channel(receive) });
  },
};
