// The parts of IndexedDB and of Web Locks that the store uses.

export interface Database {
  transaction(store: string, mode: "readonly" | "readwrite"): Transaction;
  createObjectStore(name: string, options: { keyPath: string[] }): unknown;
  close(): void;
  onversionchange: (() => void) | null;
}

export interface Transaction {
  objectStore(name: string): ObjectStore;
  commit?(): void;
  readonly error: unknown;
  oncomplete: (() => void) | null;
  onabort: (() => void) | null;
}

export interface ObjectStore {
  put(value: unknown): unknown;
  delete(key: unknown): unknown;
  openCursor(range: unknown): DatabaseRequest<Cursor | null>;
  openKeyCursor(range?: unknown): DatabaseRequest<Cursor | null>;
}

export interface Cursor {
  readonly key: readonly [owner: string, order: number, id: string];
  readonly value: unknown;
  continue(key?: unknown): void;
  delete(): void;
}

interface DatabaseRequest<T> {
  readonly result: T;
  readonly error: unknown;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
  onupgradeneeded?: (() => void) | null;
}

export interface LockManager {
  request<T>(
    name: string,
    options: { ifAvailable?: boolean },
    use: (lock: unknown) => Promise<T>,
  ): Promise<T>;
}

export interface BrowserScope {
  indexedDB?: { open(name: string, version: number): DatabaseRequest<Database> };
  IDBKeyRange?: { bound(lower: unknown, upper: unknown): unknown };
  navigator?: { locks?: LockManager };
}
