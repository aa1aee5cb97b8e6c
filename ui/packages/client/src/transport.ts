import { invoke } from '@tauri-apps/api/core';

/** Carries one operation to a store and its answer back; rejects with an error object. */
export type Transport = (operation: string, args: Record<string, unknown>) => Promise<unknown>;

/** The commands of `tauri-plugin-tombolo`. */
export const tauriTransport: Transport = (operation, args) => invoke(`plugin:tombolo|${operation}`, args);
