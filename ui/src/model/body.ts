import type { DataStore, DataStoreError, DocumentAddress, Receipt } from '@tombolo/client';
import type { DocumentSource } from '@tombolo/editor';

/**
 * A page's text as an editor follows and writes it.
 *
 * @param wrote hears of every write with its receipt
 * @param ended hears why the text can be followed no longer, once it was
 */
export function bodySource(store: DataStore, page: string, wrote: (receipt: Receipt) => void, ended: (error: DataStoreError) => void): DocumentSource {
  const address: DocumentAddress = { entity: 'Page', id: page, field: 'body' };
  return {
    follow: (listener) =>
      new Promise((resolve, reject) => {
        let isFollowed = false;
        const stop = store.follow(address, {
          piece(piece) {
            isFollowed = true;
            resolve(() => stop());
            listener(piece);
          },
          ended: (error) => (isFollowed ? ended(error) : reject(error)),
        });
      }),
    async push(update) {
      const { receipt } = await store.crdtApplyUpdate(address, update);
      wrote(receipt);
      return receipt;
    },
  };
}
