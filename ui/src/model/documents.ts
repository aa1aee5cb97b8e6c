import type { DataStore, DataStoreError, DocumentAddress, Receipt } from '@tombolo/client';
import type { DocumentSource } from '@tombolo/editor';

/**
 * A document of a page as whoever edits it follows and writes it.
 *
 * @param field a field with a document of its own; without it, the page's row, which holds the title
 * @param wrote hears of every write with its receipt
 * @param ended hears why the document can be followed no longer, once it was
 */
export function documentSource(
  store: DataStore,
  page: string,
  field: 'body' | undefined,
  wrote: (receipt: Receipt) => void,
  ended: (error: DataStoreError) => void,
): DocumentSource {
  const address: DocumentAddress = { entity: 'Page', id: page, ...(field && { field }) };
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
