// The token. In IndexedDB, which the browser never shows to scripts in pages; `storage.local` it does.

const STORE = "secrets";

function opened() {
  return new Promise((done, failed) => {
    const request = indexedDB.open("unmask", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

async function transact(mode, act) {
  const database = await opened();
  try {
    return await new Promise((done, failed) => {
      const transaction = database.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => done(request.result);
      transaction.onabort = () => failed(transaction.error);
    });
  } finally {
    database.close();
  }
}

export const readToken = async () => (await transact("readonly", (store) => store.get("token"))) ?? "";
export const keepToken = (token) => transact("readwrite", (store) => store.put(token, "token"));
export const dropToken = () => transact("readwrite", (store) => store.delete("token"));
