/**
 * What the browser keeps for the page. Where site data is blocked, even asking for it throws; what is
 * to be kept is then kept for as long as the page is open.
 */
export interface Kept {
  get(key: string): string | undefined;
  /** @param value undefined removes what was kept */
  set(key: string, value: string | undefined): void;
  /** Removes all whose key begins so. */
  forget(prefix: string): void;
}

/** For this window, over its reloads. */
export const windowStorage = kept(() => sessionStorage);
/** For all windows of this browser. */
export const browserStorage = kept(() => localStorage);

function kept(storage: () => Storage): Kept {
  /** What the browser did not take. */
  const untaken = new Map<string, string>();
  return {
    get(key) {
      try {
        return untaken.get(key) ?? storage().getItem(key) ?? undefined;
      } catch {
        return untaken.get(key);
      }
    },
    set(key, value) {
      untaken.delete(key);
      try {
        if (value === undefined) storage().removeItem(key);
        else storage().setItem(key, value);
      } catch {
        if (value !== undefined) untaken.set(key, value);
      }
    },
    forget(prefix) {
      for (const key of [...untaken.keys()]) if (key.startsWith(prefix)) untaken.delete(key);
      try {
        const place = storage();
        for (const key of Object.keys(place)) if (key.startsWith(prefix)) place.removeItem(key);
      } catch {
        // Nothing was kept there.
      }
    },
  };
}
