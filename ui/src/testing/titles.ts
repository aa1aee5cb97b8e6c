import type { Unsubscribe } from '@tombolo/client';
import type { FakeStore } from '@tombolo/client/fake';
import { LoroDoc } from 'loro-crdt';

const TITLE = 'field:title';

/** A store in memory whose titles stand in the rows' documents as well, and follow them, as in the real one. */
export function withTitles(store: FakeStore): FakeStore {
  const documents = new Map<string, LoroDoc>();

  /** Makes the document of a row hold this title, and tells whoever follows it. */
  function write(id: string, title: string): void {
    let doc = documents.get(id);
    if (!doc) documents.set(id, (doc = new LoroDoc()));
    const before = doc.version();
    doc.getText(TITLE).update(title);
    doc.commit();
    store.fake.remoteUpdate({ entity: 'Page', id }, doc.export({ mode: 'update', from: before }));
  }

  return {
    ...store,
    follow(address, listener) {
      if (address.field !== undefined) return store.follow(address, listener);
      let stop: Unsubscribe | undefined;
      let ended = false;
      const start = async () => {
        const title = (await store.getById('Page', address.id))?.title;
        if (!documents.has(address.id)) write(address.id, String(title ?? ''));
        if (!ended) stop = store.follow(address, listener);
      };
      void start();
      return () => {
        ended = true;
        stop?.();
      };
    },
    async update(entity, id, patch, options) {
      const answer = await store.update(entity, id, patch, options);
      if (typeof patch.title === 'string' && documents.has(id)) write(id, patch.title);
      return answer;
    },
    async crdtApplyUpdate(address, bytes, options) {
      const answer = await store.crdtApplyUpdate(address, bytes, options);
      const doc = address.field === undefined ? documents.get(address.id) : undefined;
      if (doc) {
        doc.import(bytes);
        await store.update('Page', address.id, { title: doc.getText(TITLE).toString() });
      }
      return answer;
    },
  };
}
