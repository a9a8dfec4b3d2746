// Events in IndexedDB, for pages and workers. Each client owns its events while it holds a Web Lock of its own. The lock
// ends with its page, so the events of an owner without one are another client's to take over, once.
import type {
  BrowserScope,
  Cursor,
  Database,
  LockManager,
  ObjectStore,
  Transaction,
} from "./browser-types.ts";
import type { EventStore, SavedEvent } from "./types.ts";

const EVENTS = "events";
/** Greater than every number and string in a key. */
const LAST: never[] = [];

interface OwnedEvent extends SavedEvent {
  owner: string;
  /** Sorts the events of all owners by age. */
  order: number;
}

/**
 * Keeps events in IndexedDB. Clients of one origin with the same name share them: what one leaves behind, another one sends.
 * It needs Web Locks, and so a secure context (https, or localhost).
 * @param name of the database
 */
export function createIndexedDbStore(name = "ingest-events"): EventStore {
  const scope = globalThis as unknown as BrowserScope;
  const owner = [...crypto.getRandomValues(new Uint32Array(4))].join("-");
  const lockOf = (of: string) => `${name}:${of}`;
  /** Of the events that this client owns. */
  const orders = new Map<string, number>();
  let order = Date.now() * 1_000;
  let database: Database | undefined;
  let opening: Promise<{ locks: LockManager; database: Database }> | undefined;
  let waiting: (() => void)[] = [];
  let isClosed = false;
  let releaseLock = () => {};

  async function open() {
    const locks = scope.navigator?.locks;
    if (scope.indexedDB === undefined || locks === undefined)
      throw new Error("IndexedDB and Web Locks are not available: they need a secure context");
    // Held before the first event is written, and until the page ends.
    await new Promise<void>((resolve) => {
      void locks.request(lockOf(owner), {}, () => {
        resolve();
        return new Promise<void>((release) => {
          releaseLock = release;
        });
      });
    });
    const request = scope.indexedDB.open(name, 1);
    request.onupgradeneeded = () =>
      void request.result.createObjectStore(EVENTS, { keyPath: ["owner", "order", "id"] });
    const opened = await toPromise(request);
    // Whoever deletes the database need not wait for this page.
    opened.onversionchange = () => opened.close();
    database = opened;
    for (const write of waiting) write();
    waiting = [];
    return { locks, database: opened };
  }

  function write(change: (events: ObjectStore) => void, onError: (error: unknown) => void): void {
    if (database === undefined) {
      if (!isClosed) waiting.push(() => write(change, onError));
      return;
    }
    try {
      const transaction = database.transaction(EVENTS, "readwrite");
      transaction.onabort = () => onError(transaction.error);
      change(transaction.objectStore(EVENTS));
      // At once, since the page may end.
      transaction.commit?.();
    } catch (error) {
      onError(error);
    }
  }

  return {
    async load(room) {
      if (isClosed) return [];
      opening ??= open();
      const { locks, database } = await opening.catch((error: unknown) => {
        waiting = [];
        isClosed = true;
        throw error;
      });
      const left = { ...room };
      const taken: OwnedEvent[] = [];
      for (const other of await ownersOf(database)) {
        if (other === owner) continue;
        await locks.request(lockOf(other), { ifAvailable: true }, async (lock) => {
          if (lock !== null) taken.push(...(await takeOver(database, scope, other, owner, left)));
        });
      }
      for (const { id, order } of taken) orders.set(id, order);
      return taken.sort((a, b) => a.order - b.order);
    },
    add({ id, json }, onError) {
      orders.set(id, ++order);
      const event: OwnedEvent = { owner, order, id, json };
      write((events) => events.put(event), onError);
    },
    remove(ids, onError) {
      write((events) => {
        for (const id of ids) {
          events.delete([owner, orders.get(id) ?? 0, id]);
          orders.delete(id);
        }
      }, onError);
    },
    async close() {
      isClosed = true;
      await opening?.catch(() => undefined);
      database?.close();
      database = undefined;
      releaseLock();
    },
  };
}

async function ownersOf(database: Database): Promise<string[]> {
  const owners: string[] = [];
  const transaction = database.transaction(EVENTS, "readonly");
  const request = transaction.objectStore(EVENTS).openKeyCursor();
  await eachCursor(transaction, request, (cursor) => {
    const [owner] = cursor.key;
    owners.push(owner);
    cursor.continue([owner, LAST]);
  });
  return owners;
}

/** Moves events to another owner in one transaction, as many as there is room for. @param room what is left of it, updated */
async function takeOver(
  database: Database,
  scope: BrowserScope,
  from: string,
  to: string,
  room: { events: number; bytes: number },
): Promise<OwnedEvent[]> {
  const taken: OwnedEvent[] = [];
  const transaction = database.transaction(EVENTS, "readwrite");
  const events = transaction.objectStore(EVENTS);
  const request = events.openCursor(scope.IDBKeyRange!.bound([from], [from, LAST]));
  await eachCursor(transaction, request, (cursor) => {
    const event = { ...(cursor.value as OwnedEvent), owner: to };
    room.events--;
    room.bytes -= new TextEncoder().encode(event.json).length;
    if (room.events < 0 || room.bytes < 0) return;
    cursor.delete();
    events.put(event);
    taken.push(event);
    cursor.continue();
  });
  return taken;
}

/** Resolves once the transaction is complete. */
function eachCursor(
  transaction: Transaction,
  request: ReturnType<ObjectStore["openCursor"]>,
  visit: (cursor: Cursor) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    request.onsuccess = () => {
      if (request.result !== null) visit(request.result);
    };
  });
}

function toPromise<T>(request: {
  result: T;
  error: unknown;
  onsuccess: unknown;
  onerror: unknown;
}): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
