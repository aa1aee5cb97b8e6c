/** The arguments of an operation, named as the contract names them. */
export type Args = Record<string, unknown>;

/** Carries operations to a store and their answers back; rejects with an error object. */
export interface Transport {
  /** Runs one operation. `bytes` go beside the arguments; bytes that are the answer come as an `ArrayBuffer`. */
  call(operation: string, args: Args, bytes?: Uint8Array): Promise<unknown>;
  /**
   * Opens a subscription and gives its name, for `acknowledge` and `unsubscribe`. Messages come in their order, each
   * only after the one before was acknowledged: what happens meanwhile is merged on the other side.
   */
  open(operation: string, args: Args, receive: (message: unknown) => void): Promise<number>;
}
